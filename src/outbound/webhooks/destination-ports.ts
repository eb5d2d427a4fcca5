/**
 * Ports from 1024 up by which databases, brokers, remote control and orchestration are known: a POST could reach them,
 * and some act on what a caller can put into it. With those that browsers refuse (WHATWG Fetch), and none that a
 * system gives to a server which asks for any free port.
 */
const internalServicePorts: ReadonlySet<number> = new Set([
  // Databases and caches.
  ...[1433, 1434, 1521, 3050, 3306, 5432, 5433, 5984, 6379, 6380, 7474, 7687, 8086, 9042, 9160],
  ...[9200, 9300, 11211, 16379, 26257, 26379, 27017, 27018, 27019, 28015],
  // Queues and mail.
  ...[1883, 4222, 4369, 5671, 5672, 6222, 8222, 9092, 9093, 10080, 15672, 25672, 4190],
  // Screens, shells, chat, telephony and file systems.
  ...[1099, 1719, 1720, 1723, 2049, 3389, 3659, 4045, 5060, 5061, 5900, 5901, 5985, 5986],
  ...[6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697],
  // Containers and clusters.
  ...[2181, 2375, 2376, 2377, 2379, 2380, 4243, 6443, 8300, 8301, 8302, 8500, 8600, 10250, 10255, 10256],
]);

/** Whether a port may be called when nobody chose the ports: 80, 443, and from 1024 up what no internal service uses. */
export function isOrdinaryPort(port: number): boolean {
  if (port === 80 || port === 443) return true;
  return port >= 1024 && !internalServicePorts.has(port);
}
