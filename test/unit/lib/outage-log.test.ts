import { expect, it, onTestFinished, vi } from 'vitest';
import { createOutageLog } from '../../../src/lib/outage-log.ts';
import { captured } from '../../support/captured-log.ts';

/** Creates an outage log with a clock that the test sets. */
function begin() {
  const { log, lines } = captured();
  let nowMs = 1_000;
  const words = { fields: { queue: 'images' }, outage: 'nothing works', over: 'all works' };
  const outage = createOutageLog(log, words, () => nowMs);
  const eventWritten = () =>
    lines.map(({ level, message, fields }) => `${level} ${message} ${fields.failures}`);
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { ...outage, lines, eventWritten, pass };
}

it('logs an outage once, with the error and the affected subject', () => {
  const { failed, lines } = begin();
  const error = new Error('out of memory');
  for (let i = 0; i < 1_000; i++) failed(error);
  expect(lines).toEqual([
    { level: 'warn', message: 'nothing works', fields: { queue: 'images', err: error, failures: 1 } },
  ]);
});

it('logs a continuing outage once a minute, with the number of failures since its start', () => {
  const { failed, pass, eventWritten } = begin();
  for (let second = 0; second <= 120; second++) {
    failed(new Error('out of memory'));
    pass(1_000);
  }
  expect(eventWritten()).toEqual(['warn nothing works 1', 'warn nothing works 61', 'warn nothing works 121']);
});

it('logs the end of an outage once and a new outage immediately', () => {
  const { failed, worked, pass, eventWritten } = begin();
  worked();
  for (let i = 0; i < 3; i++) failed(new Error('out of memory'));
  pass(5_000);
  for (let i = 0; i < 3; i++) worked();
  failed(new Error('out of memory'));
  expect(eventWritten()).toEqual(['warn nothing works 1', 'info all works 3', 'warn nothing works 1']);
});

it('logs intermittent failures as one outage', () => {
  const { failed, worked, pass, eventWritten } = begin();
  for (let i = 0; i < 100; i++) {
    failed(new Error('out of memory'));
    pass(100);
    worked();
  }
  expect(eventWritten()).toEqual(['warn nothing works 1']);
});

it('logs a new outage and its end after the system clock was set back', () => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const { log, lines } = captured();
  const outage = createOutageLog(log, { fields: {}, outage: 'nothing works', over: 'all works' });
  outage.failed(new Error('out of memory'));
  vi.setSystemTime(Date.now() - 3_600_000);
  vi.advanceTimersByTime(60_000);
  outage.failed(new Error('out of memory'));
  vi.advanceTimersByTime(5_000);
  outage.worked();
  expect(lines.map(({ message }) => message)).toEqual(['nothing works', 'nothing works', 'all works']);
});
