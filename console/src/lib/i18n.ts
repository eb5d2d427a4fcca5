/** Languages of the console. */
export const languages = ['en', 'zh-Hans'] as const;
export type Language = (typeof languages)[number];

/** A text with plural forms. The value `count` selects the form. */
export interface Plural {
  readonly one?: string;
  readonly other: string;
}

/** Texts of a screen by key. Placeholders have names: `{count} images`. */
export type Strings<Key extends string = string> = Readonly<Record<Key, string | Plural>>;

/** The same texts in both languages. */
export interface Table<Key extends string> {
  readonly en: Strings<Key>;
  readonly zh: Strings<Key>;
}

export type Values = Readonly<Record<string, string | number>>;

/** Returns texts in one language. Numbers are formatted for the language. */
export interface Translate<Key extends string> {
  (key: Key, values?: Values): string;
  /** Returns a text with elements in its placeholders. */
  rich<Child>(key: Key, values: Readonly<Record<string, Child>>): (string | Child | undefined)[];
}

/** Returns the language of a list of preferences, as `navigator.languages` has them. */
export function preferredLanguage(preferences: readonly string[]): Language {
  const known = preferences.find((each) => /^(en|zh)\b/i.test(each));
  return known && /^zh\b/i.test(known) ? 'zh-Hans' : 'en';
}

/** Creates the function that translates the keys of a table. */
export function createTranslate<Key extends string>(table: Table<Key>, language: Language): Translate<Key> {
  const strings = language === 'zh-Hans' ? table.zh : table.en;
  const rules = new Intl.PluralRules(language);
  const numbers = new Intl.NumberFormat(language);
  const textOf = (key: Key, count: unknown): string => {
    // A newer service may have names without a text.
    const text = strings[key] ?? key;
    if (typeof text === 'string') return text;
    return (rules.select(Number(count)) === 'one' ? text.one : undefined) ?? text.other;
  };
  const show = (value: string | number) => (typeof value === 'number' ? numbers.format(value) : value);
  const translate = (key: Key, values: Values = {}) =>
    textOf(key, values.count).replace(placeholder, (mark, name: string) => {
      const value = values[name];
      return value === undefined ? mark : show(value);
    });
  const rich = <Child>(key: Key, values: Readonly<Record<string, Child>>) =>
    textOf(key, values.count)
      .split(placeholder)
      .map((part, i) => {
        if (i % 2 === 0) return part;
        const value = values[part];
        return typeof value === 'number' ? show(value) : value;
      });
  return Object.assign(translate, { rich });
}

const placeholder = /\{(\w+)\}/g;
