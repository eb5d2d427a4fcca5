/** The release of a Debian-like system. */
export interface DebianRelease {
  /** Name and version, such as `debian-12` or `ubuntu-24.04`. */
  label: string;
  /** Release names of this system on mirrors, such as `bookworm`. */
  codenames: string[];
}

/** A file of package sources for apt: one source per line (`.list`) or stanzas (`.sources`). */
export interface SourcesFile {
  name: string;
  text: string;
}

/** Reads os-release(5). Returns undefined if the system is not Debian, Ubuntu or derived from them. */
export function parseDebianRelease(osRelease: string): DebianRelease | undefined {
  const fields = new Map<string, string>();
  for (const line of osRelease.split('\n')) {
    const match = /^([A-Z_]+)=(?:"([^"]*)"|'([^']*)'|(\S*))\s*$/.exec(line);
    if (match?.[1]) fields.set(match[1], match[2] ?? match[3] ?? match[4] ?? '');
  }
  const families = `${fields.get('ID') ?? ''} ${fields.get('ID_LIKE') ?? ''}`.split(/\s+/);
  if (!families.includes('debian') && !families.includes('ubuntu')) return undefined;
  const names = ['VERSION_CODENAME', 'UBUNTU_CODENAME', 'DEBIAN_CODENAME'].map(
    (key) => fields.get(key) ?? '',
  );
  const label = `${fields.get('ID') ?? 'debian'}-${fields.get('VERSION_ID') ?? 'rolling'}`;
  return {
    label: label.replace(/[^\w.-]/g, '_'),
    codenames: [...new Set(names.filter((name) => name !== ''))],
  };
}

// Redis and its libraries are in `main` on Debian and in `universe` on Ubuntu.
const wantedComponents = ['main', 'universe'];

/**
 * Selects the package sources that can contain Redis: binary packages of the distribution's own suites, in two
 * components. Third-party repositories are excluded, because they make an update slow or fail. Returns an empty list if
 * nothing matches. The caller should then use the sources unchanged.
 */
export function pickSources(files: readonly SourcesFile[], release: DebianRelease): SourcesFile[] {
  const picked: SourcesFile[] = [];
  for (const file of files) {
    const isStanzas = file.name.endsWith('.sources');
    const text = isStanzas ? pickStanzas(file.text, release) : pickLines(file.text, release);
    if (text !== '') picked.push({ name: file.name, text });
  }
  return picked;
}

function isWantedSuite(suite: string, release: DebianRelease): boolean {
  const base = suite.replace(/(-updates|-security|\/updates)$/, '');
  return [...release.codenames, 'stable', 'testing', 'unstable', 'sid'].includes(base);
}

function pickLines(text: string, release: DebianRelease): string {
  const lines = text.split('\n').flatMap((line) => {
    const [source = ''] = line.split('#', 1);
    const options = source.includes('[')
      ? source.slice(source.indexOf('['), source.lastIndexOf(']') + 1)
      : '';
    const [type, uri = '', suite = '', ...components] = source.replace(options, ' ').trim().split(/\s+/);
    if (type !== 'deb') return [];
    const wanted = components.filter((component) => wantedComponents.includes(component));
    if (wanted.length === 0 || !isWantedSuite(suite, release)) return [];
    return [`deb ${options.trim()} ${uri} ${suite} ${wanted.join(' ')}\n`.replace('  ', ' ')];
  });
  return lines.join('');
}

function pickStanzas(text: string, release: DebianRelease): string {
  return text
    .replace(/^#.*\n/gm, '')
    .split(/\n\s*\n/)
    .map((stanza) => pickStanza(stanza, release))
    .filter((stanza) => stanza !== '')
    .join('\n');
}

function pickStanza(stanza: string, release: DebianRelease): string {
  // A field continues on lines that begin with a space.
  const fields = stanza.split(/\n(?!\s)/).flatMap((field) => {
    const match = /^([\w-]+):([\s\S]*)$/.exec(field.trim());
    return match?.[1] ? [{ key: match[1].toLowerCase(), name: match[1], value: match[2] ?? '' }] : [];
  });
  const words = (key: string) =>
    fields
      .find((field) => field.key === key)
      ?.value.trim()
      .split(/\s+/) ?? [];
  const suites = words('suites').filter((suite) => isWantedSuite(suite, release));
  const components = words('components').filter((component) => wantedComponents.includes(component));
  const isOff = words('enabled').some((word) => /^(no|false|0|off)$/i.test(word));
  if (isOff || !words('types').includes('deb') || suites.length === 0 || components.length === 0) return '';
  const replaced = new Map([
    ['types', ' deb'],
    ['suites', ` ${suites.join(' ')}`],
    ['components', ` ${components.join(' ')}`],
  ]);
  return fields.map(({ key, name, value }) => `${name}:${replaced.get(key) ?? value}\n`).join('');
}
