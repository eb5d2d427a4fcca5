import { Agent, request } from 'undici';

const { PROVIDER_URL = '', BUCKET_URL = '', IMAGE_BYTES = '' } = process.env;
const agent = new Agent();

/**
 * The least that an image takes: the provider is asked, and as many bytes as its image has go to the storage. Nothing
 * is decoded, checked, signed or kept. Resolves when the storage has them.
 *
 * @param name of the image in the storage.
 */
export async function generateImage(name: string): Promise<void> {
  const response = await request(`${PROVIDER_URL}/v1/images/generations`, {
    dispatcher: agent,
    method: 'POST',
    body: '{}',
  });
  const bytes = Buffer.from(await response.body.arrayBuffer());
  const { body } = await request(`${BUCKET_URL}/${name}.png`, {
    dispatcher: agent,
    method: 'PUT',
    body: bytes.subarray(0, Number(IMAGE_BYTES)),
  });
  await body.dump();
}
