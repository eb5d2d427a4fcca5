import { startFauxqs } from 'fauxqs';
import { announce, answerQuestions } from '../harness/questions.ts';
import { bucket } from './s3.ts';

const s3 = await startFauxqs({
  port: 0,
  host: '127.0.0.1',
  logger: false,
  messageSpies: { bufferSize: 10_000 },
});
s3.setup({ buckets: [bucket] });

answerQuestions({
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
announce(s3.port);
