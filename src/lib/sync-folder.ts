import { open } from 'node:fs/promises';

/** Makes renames and new names in a folder survive a loss of power: they are data of the folder. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
