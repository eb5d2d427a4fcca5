// Loaded into every process of the fleet. Ends the process when its parent process has ended for any reason.
process.stdin.on('end', () => process.exit(1));
process.stdin.resume();
process.stdin.unref();
