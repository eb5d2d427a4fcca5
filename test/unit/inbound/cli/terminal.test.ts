import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { terminalImages } from '../../../../src/config/config.ts';
import { type CliContext, table } from '../../../../src/inbound/cli/context.ts';
import { printable } from '../../../../src/inbound/cli/printable.ts';
import { createProgram } from '../../../../src/inbound/cli/program.ts';
import { barOf, fitting } from '../../../../src/inbound/cli/progress.ts';
import { imageSequence } from '../../../../src/inbound/cli/show-images.ts';

describe('images in a terminal', () => {
  it('recognizes the terminals that draw images by their environment', () => {
    expect(terminalImages({ TERM: 'xterm-kitty' })).toBe('kitty');
    expect(terminalImages({ KITTY_WINDOW_ID: '1' })).toBe('kitty');
    expect(terminalImages({ TERM_PROGRAM: 'iTerm.app' })).toBe('iterm2');
    expect(terminalImages({ TERM: 'xterm-256color', TERM_PROGRAM: 'Apple_Terminal' })).toBeUndefined();
  });

  it('sends all bytes of an image in the sequences of each terminal', () => {
    const bytes = Buffer.from(Array.from({ length: 10_000 }, (_, index) => index % 256));
    const inline = imageSequence('iterm2', bytes);
    expect(inline.startsWith('\u001b]1337;File=inline=1;size=10000;')).toBe(true);
    const data = inline.slice(inline.indexOf(':') + 1, inline.indexOf('\u0007'));
    expect(Buffer.from(data, 'base64')).toEqual(bytes);
    const parts = imageSequence('kitty', bytes).split('\u001b\\').slice(0, -1);
    const chunks = parts.map((part) => part.replace('\u001b_G', '').split(';'));
    expect(Buffer.from(chunks.map(([, chunk]) => chunk).join(''), 'base64')).toEqual(bytes);
    expect(chunks.map(([control]) => control)).toEqual(['a=T,f=100,c=40,m=1', 'm=1', 'm=1', 'm=0']);
  });
});

it('shows control characters of callers as replacement characters, and keeps line breaks', () => {
  expect(printable('A\u001b]0;title\u0007 fox\r\n\u009b2J\ttab 狐')).toBe(
    'A\ufffd]0;title\ufffd fox\ufffd\n\ufffd2J\ttab 狐',
  );
});

it('a table shows a text of a caller in its cell, without control characters and line breaks', () => {
  const forged = 'mine\nkey_2  theirs\u001b[1A\u009b2K';
  expect(
    table([
      ['ID', 'NAME', 'STATE'],
      ['key_1', forged, 'live'],
    ]),
  ).toBe(
    ['ID     NAME                       STATE', 'key_1  mine key_2  theirs\ufffd[1A\ufffd2K  live'].join(
      '\n',
    ),
  );
});

it('cuts the progress line before the end of a narrow terminal, where it would wrap', () => {
  expect(fitting('generating 12 s [#####---------------] 1/4 images', 20)).toBe('generating 12 s [##');
  for (const columns of [80, 0, undefined])
    expect(fitting('generating 12 s', columns)).toBe('generating 12 s');
});

it('the bar of the progress line is proportional to the stored images', () => {
  expect(barOf(0, 4)).toBe('[--------------------] 0/4 images');
  expect(barOf(1, 4)).toBe('[#####---------------] 1/4 images');
  expect(barOf(4, 4)).toBe('[####################] 4/4 images');
});

describe('darkroom completion', () => {
  const scriptOf = (shell: string): string => {
    const lines: string[] = [];
    const context = { version: '0.0.0', print: (line: string) => lines.push(line) } as unknown as CliContext;
    createProgram(context).parse(['node', 'darkroom', 'completion', shell]);
    return lines.join('\n');
  };

  it.runIf(process.platform !== 'win32')('bash completes commands, subcommands and options', () => {
    const complete = (...words: string[]) => {
      const script = `${scriptOf('bash')}
COMP_WORDS=(darkroom ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}
_darkroom; echo "\${COMPREPLY[@]}"`;
      return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split(' ');
    };
    expect(complete('jo')).toEqual(['jobs']);
    expect(complete('jobs', '')).toEqual(
      expect.arrayContaining(['list', 'get', 'cancel', 'retry', 'erase', 'open']),
    );
    expect(complete('jobs', 'list', '--st')).toEqual(['--status']);
    expect(complete('jobs', 'list', '--json', '--l')).toEqual(['--limit']);
    expect(complete('generate', '--mas')).toEqual(['--mask']);
    expect(complete('jobs', 'list', '--status', 'ca')).toEqual(['canceled']);
    expect(complete('completion', '')).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish']));
    // Without a word of its own, the shell completes the name of a file.
    expect(complete('generate', '--out', '')).toEqual(['']);
  });

  it('the scripts of zsh and fish name every command and escape descriptions', () => {
    const zsh = scriptOf('zsh');
    expect(zsh).toContain(`"darkroom jobs"|`);
    expect(zsh).toMatch(/'erase:erase the images, inputs and prompts of jobs'/);
    const fish = scriptOf('fish');
    expect(fish).toContain(
      `complete -c darkroom -n '__darkroom_at "darkroom jobs"' -a erase -d 'erase the images`,
    );
    expect(fish).toContain(`-n '__darkroom_at "darkroom jobs list"' -l limit -r -d `);
    expect(fish).toContain(`-l status -r -f -a 'queued running succeeded failed canceled expired' -d `);
    expect(zsh).toContain(
      '"darkroom jobs list --status") found=(queued running succeeded failed canceled expired) ;;',
    );
  });
});
