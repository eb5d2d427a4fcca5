// Runs in the folder of the installed packages, so that Node finds them. Loads each package when it is first used.
export const loadSdk1 = async () => ({
  ...(await import('@modelcontextprotocol/sdk/client/index.js')),
  ...(await import('@modelcontextprotocol/sdk/client/streamableHttp.js')),
});
export const loadSdk2 = () => import('@modelcontextprotocol/client');
export const loadTasks = () => import('@modelcontextprotocol/ext-tasks/client');
