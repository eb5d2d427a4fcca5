import { describe, expect, it } from 'vitest';
import { erase } from '../../../src/domain/job-erasure.ts';
import { finish } from '../../../src/domain/job-moves.ts';
import {
  type ArchivedLine,
  ledgerLinesOf,
  ledgerMarkOf,
  viewLedgerLine,
} from '../../../src/domain/ledger.ts';
import { attemptOf, createdAt, queuedJob, retention } from '../../support/jobs.ts';

const attempts = [
  attemptOf({ no: 1, state: 'rejected' }),
  attemptOf({ no: 2, kind: 'enhance', model: 'gpt-5.4-mini', provider: 'openai', costMicroUsd: 120 }),
  attemptOf({ no: 3, state: 'uncertain', provider: 'openai', providerRequestId: 'req_3' }),
  attemptOf({ no: 4, provider: 'openai', costMicroUsd: 5_970, startedAt: createdAt + 1 }),
];
const job = { ...queuedJob({ nowMs: createdAt }), keyId: 'key_1', attempts };
const ended = finish(job, 'succeeded', { nowMs: createdAt + 2, retention });

describe('the ledger', () => {
  it('has a line for every attempt that was charged or may have been', () => {
    expect(ledgerLinesOf(job).map(({ id, billing, micro_usd }) => [id, billing, micro_usd])).toEqual([
      [`${job.id}.2`, 'charged', 120],
      [`${job.id}.3`, 'possible', null],
      [`${job.id}.4`, 'charged', 5_970],
    ]);
  });

  it('shows each line with the fields of the contract', () => {
    const [, , line] = ledgerLinesOf(job);
    expect(line && viewLedgerLine(line)).toEqual({
      id: `${job.id}.4`,
      job_id: job.id,
      attempt: 4,
      kind: 'generate',
      key_id: 'key_1',
      model: 'gpt-image-2',
      provider: 'openai',
      state: 'stored',
      billing: 'charged',
      micro_usd: 5_970,
      micro_usd_possible: null,
      provider_request_id: null,
      at: new Date(createdAt + 1).toISOString(),
    });
  });

  it('states the upper bound of a charge that is not settled, and none in lines of earlier releases', () => {
    const bounded = { ...job, callBounds: { image: 6_460 } };
    const possible = ledgerLinesOf(bounded).map((line) => viewLedgerLine(line).micro_usd_possible);
    expect(possible).toEqual([null, 6_460, null]);
    const [{ micro_usd_possible: _none, ...earlier } = {}] = ledgerLinesOf(bounded);
    expect(viewLedgerLine(earlier as ArchivedLine).micro_usd_possible).toBeNull();
  });

  it('shows a kind and a state of a newer release as `other`', () => {
    const [line] = ledgerLinesOf({ ...job, attempts: [attemptOf({ kind: 'upscale', state: 'half_paid' })] });
    expect(line && viewLedgerLine(line)).toMatchObject({
      kind: 'other',
      state: 'other',
      billing: 'possible',
    });
  });

  it('has the same lines after the job was erased, apart from their version', () => {
    const lines = (of: typeof job) => ledgerLinesOf(of).map(viewLedgerLine);
    const erased = erase(ended, createdAt + 3, retention);
    expect(lines(erased as typeof job)).toEqual(lines(ended as typeof job));
    expect(ledgerMarkOf(erased)).toBe(ledgerMarkOf(ended));
  });

  it('has a mark that changes if a charge is settled, and not if the images are deleted', () => {
    const settled = attempts.map((each) =>
      each.no === 3 ? { ...each, costMicroUsd: 0, settledAt: 1 } : each,
    );
    expect(ledgerMarkOf({ attempts: settled })).not.toBe(ledgerMarkOf({ attempts }));
    expect(ledgerMarkOf({ ...ended, images: [] } as typeof ended)).toBe(ledgerMarkOf(ended));
  });

  it('shows a charge that was settled as 0 as not charged', () => {
    const settled = attemptOf({ state: 'uncertain', costMicroUsd: 0, settledAt: 1 });
    expect(ledgerLinesOf({ ...job, attempts: [settled] })).toMatchObject([{ billing: 'none', micro_usd: 0 }]);
  });
});
