import { describe, expect, it } from 'vitest';
import { parseDebianRelease, pickSources } from '../../../../src/local/redis/debian-sources.ts';

const bookworm = { label: 'debian-12', codenames: ['bookworm'] };

describe('parseDebianRelease', () => {
  it('recognizes Debian from its release file', () => {
    const text =
      'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nID=debian\n';
    expect(parseDebianRelease(text)).toEqual(bookworm);
  });

  it('recognizes a Debian derivative with the code names of its base', () => {
    const text =
      'ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="21.2"\nVERSION_CODENAME=victoria\nUBUNTU_CODENAME=jammy\n';
    expect(parseDebianRelease(text)).toEqual({ label: 'linuxmint-21.2', codenames: ['victoria', 'jammy'] });
  });

  it('recognizes a rolling Debian release without a version number', () => {
    expect(parseDebianRelease("ID='debian'\nVERSION_CODENAME=forky\n")).toEqual({
      label: 'debian-rolling',
      codenames: ['forky'],
    });
  });

  it('creates a release label that is safe as a file name', () => {
    expect(parseDebianRelease('ID=debian\nVERSION_ID="../../x"\n')?.label).not.toContain('/');
  });

  it.each([['ID=alpine\n'], ['ID=fedora\nID_LIKE="rhel"\n'], ['']])(
    'finds no Debian release in %j',
    (text) => {
      expect(parseDebianRelease(text)).toBeUndefined();
    },
  );
});

describe('pickSources', () => {
  it('selects the entries of the distribution from one-line files, without third parties, sources and other components', () => {
    const text = [
      '# deb http://deb.debian.org/debian bookworm main',
      'deb http://deb.debian.org/debian bookworm main contrib non-free # the mirror',
      'deb [signed-by=/k.gpg arch=amd64] http://deb.debian.org/debian bookworm-updates main',
      'deb http://security.debian.org bookworm-security main',
      'deb http://old.example bookworm/updates main',
      'deb-src http://deb.debian.org/debian bookworm main',
      'deb https://download.docker.com/linux/debian bookworm stable',
      'deb https://deb.nodesource.com/node_20.x nodistro main',
      'deb cdrom:[Debian GNU/Linux 12]/ bookworm main',
      '',
    ].join('\n');
    expect(pickSources([{ name: '0.list', text }], bookworm)).toEqual([
      {
        name: '0.list',
        text: [
          'deb http://deb.debian.org/debian bookworm main',
          'deb [signed-by=/k.gpg arch=amd64] http://deb.debian.org/debian bookworm-updates main',
          'deb http://security.debian.org bookworm-security main',
          'deb http://old.example bookworm/updates main',
          '',
        ].join('\n'),
      },
    ]);
  });

  it('restricts deb822 stanzas to the needed parts and retains their signing keys', () => {
    const key =
      'Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n -----END PGP PUBLIC KEY BLOCK-----';
    const text = [
      '# a comment',
      'Types: deb deb-src',
      'URIs: http://archive.ubuntu.com/ubuntu',
      'Suites: noble noble-updates noble-backports',
      'Components: main restricted universe multiverse',
      key,
      '',
      'Types: deb',
      'URIs: https://deb.nodesource.com/node_20.x',
      'Suites: nodistro',
      'Components: main',
      '',
    ].join('\n');
    const release = { label: 'ubuntu-24.04', codenames: ['noble'] };
    expect(pickSources([{ name: '1.sources', text }], release)).toEqual([
      {
        name: '1.sources',
        text: [
          'Types: deb',
          'URIs: http://archive.ubuntu.com/ubuntu',
          'Suites: noble noble-updates',
          'Components: main universe',
          key,
          '',
        ].join('\n'),
      },
    ]);
  });

  it('omits disabled stanzas, stanzas of sources only, and files without remaining entries', () => {
    const stanza = (first: string) =>
      `${first}\nURIs: http://deb.debian.org/debian\nSuites: bookworm\nComponents: main\n`;
    const files = ['Types: deb\nEnabled: no', 'Types: deb-src'].map((first, index) => ({
      name: `${index}.sources`,
      text: stanza(first),
    }));
    expect(pickSources(files, bookworm)).toEqual([]);
    expect(pickSources([{ name: '2.sources', text: stanza('Types: deb') }], bookworm)).toHaveLength(1);
  });
});
