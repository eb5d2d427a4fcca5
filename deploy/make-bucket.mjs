// Makes the bucket of docker-compose.yml when it is missing, waiting for the server as long as it starts.
import { CreateBucketCommand, HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';

const { S3_ENDPOINT, S3_REGION, S3_BUCKET, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY } = process.env;
const client = new S3Client({
  endpoint: S3_ENDPOINT,
  region: S3_REGION,
  forcePathStyle: true,
  credentials: { accessKeyId: S3_ACCESS_KEY_ID, secretAccessKey: S3_SECRET_ACCESS_KEY },
});

const attempts = 30;
for (let attempt = 1; ; attempt++) {
  try {
    await client.send(new HeadBucketCommand({ Bucket: S3_BUCKET }));
    console.log(`bucket ${S3_BUCKET} is there`);
    break;
  } catch (error) {
    if (error.name === 'NotFound' || error.$metadata?.httpStatusCode === 404) {
      await client.send(new CreateBucketCommand({ Bucket: S3_BUCKET }));
      console.log(`bucket ${S3_BUCKET} made`);
      break;
    }
    if (attempt === attempts) throw error;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
client.destroy();
