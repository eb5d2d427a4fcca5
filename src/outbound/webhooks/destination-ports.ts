/**
 * Well-known ports from 1024 up of databases, brokers, remote control and orchestration. A POST could reach such a
 * service, and some services act on content that a caller controls. The list includes the ports that browsers refuse
 * (WHATWG Fetch). It excludes the ephemeral ports of operating systems.
 */
const internalServicePorts: ReadonlySet<number> = new Set([
  // Databases and caches.
  ...[1433, 1434, 1521, 3050, 3306, 5432, 5433, 5984, 6379, 6380, 7474, 7687, 8086, 9042, 9160],
  ...[9200, 9300, 11211, 16379, 26257, 26379, 27017, 27018, 27019, 28015],
  // Queues, SMTP and Sieve.
  ...[1883, 4222, 4369, 5671, 5672, 6222, 8222, 9092, 9093, 10080, 15672, 25672, 4190],
  // Screens, shells, chat, telephony and file systems.
  ...[1099, 1719, 1720, 1723, 2049, 3389, 3659, 4045, 5060, 5061, 5900, 5901, 5985, 5986],
  ...[6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697],
  // Containers and clusters.
  ...[2181, 2375, 2376, 2377, 2379, 2380, 4243, 6443, 8300, 8301, 8302, 8500, 8600, 10250, 10255, 10256],
]);

/**
 * Returns whether a port is allowed: 80, 443, and every port from 1024 up that no internal service uses.
 */
export function isOrdinaryPort(port: number): boolean {
  if (port === 80 || port === 443) return true;
  return port >= 1024 && !internalServicePorts.has(port);
}
