import { credential, defineVariable, shownUrl, text, truth, type ValuesOf } from '../../../lib/variable.ts';
import { defineStorage, storageSection as section } from '../storage-definition.ts';
import { createS3Storage } from './s3-storage.ts';

const variables = {
  S3_ENDPOINT: defineVariable({ section, schema: shownUrl, about: 'Endpoint. Absent for AWS.' }),
  S3_PUBLIC_ENDPOINT: defineVariable({
    section,
    schema: shownUrl,
    about: 'Endpoint in links, if callers reach the storage at another address than this service does.',
  }),
  S3_REGION: defineVariable({ section, schema: text, fallback: 'us-east-1', about: 'Region.' }),
  S3_BUCKET: defineVariable({ section, schema: text, about: 'Bucket. It must exist.' }),
  S3_ACCESS_KEY_ID: defineVariable({
    section,
    schema: credential,
    secret: true,
    about: 'Access key id. If absent, the standard AWS credential chain is used.',
  }),
  S3_SECRET_ACCESS_KEY: defineVariable({
    section,
    schema: credential,
    secret: true,
    about: 'Secret of the access key.',
  }),
  S3_FORCE_PATH_STYLE: defineVariable({
    section,
    schema: truth,
    fallback: 'false',
    about: 'Bucket in the path instead of the host name. Most self-hosted servers need it.',
  }),
};

const endpointOf = (values: ValuesOf<typeof variables>) =>
  values.S3_ENDPOINT ?? `https://s3.${values.S3_REGION}.amazonaws.com`;

/** Returns the origin of the endpoint in links, and that of the bucket if links have the bucket in the host name. */
function linkOrigins(values: ValuesOf<typeof variables>): string[] {
  const { protocol, host, origin } = new URL(values.S3_PUBLIC_ENDPOINT ?? endpointOf(values));
  return values.S3_FORCE_PATH_STYLE ? [origin] : [origin, `${protocol}//${values.S3_BUCKET}.${host}`];
}

/** Images in a bucket of AWS S3 or of a server with the same API. */
export const s3 = defineStorage({
  name: 's3',
  variables,
  create: (values, { proxyFor }) =>
    createS3Storage({
      bucket: values.S3_BUCKET ?? '',
      region: values.S3_REGION,
      endpoint: values.S3_ENDPOINT,
      publicEndpoint: values.S3_PUBLIC_ENDPOINT,
      accessKeyId: values.S3_ACCESS_KEY_ID,
      secretAccessKey: values.S3_SECRET_ACCESS_KEY,
      forcePathStyle: values.S3_FORCE_PATH_STYLE,
      proxy: proxyFor(endpointOf(values)),
    }),
  check(values, { isSelected }) {
    const faults: string[] = [];
    if (isSelected && !values.S3_BUCKET) faults.push('S3_BUCKET: needed because STORAGE is s3');
    if ((values.S3_ACCESS_KEY_ID === undefined) !== (values.S3_SECRET_ACCESS_KEY === undefined)) {
      faults.push('S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY: set both or neither');
    }
    return faults;
  },
  endpoint: endpointOf,
  linkOrigins,
  describe: (values) => `s3, bucket ${values.S3_BUCKET}`,
});
