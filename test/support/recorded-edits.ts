import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { writeCatalogue } from './catalogue.ts';
import { type Edit, filesOf, textsOf } from './edit-entries.ts';
import { clearMask, noiseImage } from './images.ts';
import { type RecordingProvider, startRecordingProvider } from './recording-provider.ts';
import { safetyIdentifier } from './safety-identifier.ts';
import { startService, type TestService } from './service.ts';

/** A service whose provider records the edits that it receives, and images to edit. */
export interface RecordedEdits {
  readonly provider: RecordingProvider;
  readonly service: TestService;
  /** Sixteen different images, in every format. The first is a PNG. */
  readonly images: readonly Buffer[];
  /** A mask of the size of the first image. */
  readonly mask: Buffer;
  /** Checks the only call of the provider against the edit that was sent. */
  expectReceived(edit: Edit): void;
  close(): Promise<void>;
}

const formats = ['png', 'jpeg', 'webp'] as const;

/** Starts a service and the provider of its images. No model reaches its shutdown, whatever the date of the test. */
export async function startRecordedEdits(overrides: Record<string, string> = {}): Promise<RecordedEdits> {
  const provider = await startRecordingProvider();
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-test-'));
  const CATALOGUE_FILE = await writeCatalogue(folder, { shutdown_at: null });
  const service = await startService({ ...provider.env, CATALOGUE_FILE, ...overrides });
  return {
    provider,
    service,
    images: await Promise.all(
      Array.from({ length: 16 }, (_, at) => noiseImage(64 + at, 48, formats[at % formats.length])),
    ),
    mask: await clearMask(64, 48),
    expectReceived(edit) {
      const edits = provider.requests.filter(({ path }) => path === '/v1/images/edits');
      expect(edits).toHaveLength(1);
      const [request] = edits;
      expect(request?.files.map(({ field, sha256 }) => [field, sha256])).toEqual(filesOf(edit));
      expect(Object.fromEntries(request?.fields ?? [])).toEqual({
        ...textsOf(edit.fields),
        safety_identifier: expect.stringMatching(safetyIdentifier),
      });
    },
    async close() {
      await service.close();
      await provider.close();
      await rm(folder, { recursive: true });
    },
  };
}
