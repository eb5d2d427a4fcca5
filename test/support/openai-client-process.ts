// Generates one image with an unmodified client, as a process that a test kills. Arguments: name of the client, base URL,
// API key and prompt.
import { loadClients } from './openai-clients.ts';

const [, , name, baseUrl = '', apiKey = '', prompt = ''] = process.argv;
const clients = await loadClients();
const client = clients && [...clients.all, ...clients.streams].find((each) => each.name === name);
if (!client) throw new Error(`there is no client ${name}`);
await client.generate({ baseUrl, apiKey }, { prompt, model: 'gpt-image-2' });
process.exit(0);
