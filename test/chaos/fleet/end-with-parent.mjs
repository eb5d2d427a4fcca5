// Loaded into every process of the fleet: ends it when whoever started it is gone, however that ended.
process.stdin.on('end', () => process.exit(1));
process.stdin.resume();
process.stdin.unref();
