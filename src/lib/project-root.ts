const above = new URL('../../', import.meta.url);

/** Folder of the project: above `src`, also for the compiled program in `dist/src`. */
export const projectRoot = above.pathname.endsWith('/dist/') ? new URL('../', above) : above;
