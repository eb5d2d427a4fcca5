/** A complete program that receives events and verifies their signatures. */
export const receiverCode = `import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';
const webhook = new Webhook(process.env.WEBHOOK_SECRET);
createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  try { console.log(webhook.verify(body, request.headers)); }
  catch { return response.writeHead(400).end(); }
  response.writeHead(204).end();
}).listen(process.env.PORT ?? 3000);
`;
