import { startFauxqs } from 'fauxqs';
import { handleQueries, reportReady } from '../harness/queries.ts';
import { bucket } from './s3.ts';

const s3 = await startFauxqs({
  port: 0,
  host: '127.0.0.1',
  logger: false,
  messageSpies: { bufferSize: 10_000 },
});
s3.setup({ buckets: [bucket] });

handleQueries({
  empty() {
    const keys = new Set(
      s3.spy
        .getAllMessages()
        .flatMap((event) => ('bucket' in event && event.status === 'uploaded' ? [event.key] : [])),
    );
    s3.reset();
    return keys.size;
  },
});
reportReady(s3.port);
