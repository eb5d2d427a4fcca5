import { Agent, request } from 'undici';

const { PROVIDER_URL = '', BUCKET_URL = '', PICTURE_BYTES = '' } = process.env;
const agent = new Agent();

/**
 * The least that a picture takes: the provider is asked, and as many bytes as its picture has go to the storage. Nothing
 * is decoded, checked, signed or kept. Resolves when the storage has them.
 *
 * @param name of the picture in the storage.
 */
export async function makePicture(name: string): Promise<void> {
  const answer = await request(`${PROVIDER_URL}/v1/images/generations`, {
    dispatcher: agent,
    method: 'POST',
    body: '{}',
  });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  const { body } = await request(`${BUCKET_URL}/${name}.png`, {
    dispatcher: agent,
    method: 'PUT',
    body: bytes.subarray(0, Number(PICTURE_BYTES)),
  });
  await body.dump();
}
