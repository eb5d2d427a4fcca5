import { createContext } from 'preact';
import { useContext, useMemo } from 'preact/hooks';
import { createTranslate, type Language, preferredLanguage, type Table, type Translate } from './i18n.ts';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

/** Choices of the user, which the browser keeps. */
export interface Settings {
  readonly language: Language;
  readonly theme: Theme;
  /** Whether single keys are shortcuts. */
  readonly shortcuts: boolean;
}

/** Returns the stored choices, and the preferences of the browser for the others. */
export function readSettings(): Settings {
  const language = read('language');
  const theme = read('theme');
  return {
    language: language === 'en' || language === 'zh-Hans' ? language : preferredLanguage(navigator.languages),
    theme: theme === 'light' || theme === 'dark' ? theme : 'system',
    shortcuts: read('shortcuts') !== 'off',
  };
}

/** Stores the choices and applies them to the document. */
export function applySettings({ language, theme, shortcuts }: Settings): void {
  const { documentElement } = document;
  documentElement.lang = language;
  if (theme === 'system') delete documentElement.dataset.theme;
  else documentElement.dataset.theme = theme;
  write('language', language);
  write('theme', theme);
  write('shortcuts', shortcuts ? 'on' : 'off');
}

function read(name: string): string | null {
  try {
    return localStorage.getItem(`darkroom.${name}`);
  } catch {
    return null;
  }
}

function write(name: string, value: string): void {
  try {
    localStorage.setItem(`darkroom.${name}`, value);
  } catch {
    // A browser may refuse storage. The choice then lasts as long as the page.
  }
}

export const SettingsContext = createContext<{
  readonly settings: Settings;
  readonly change: (changes: Partial<Settings>) => void;
}>({ settings: { language: 'en', theme: 'system', shortcuts: true }, change: () => undefined });

export const useSettings = () => useContext(SettingsContext);

/** Returns the function that translates the texts of a table. */
export function useText<Key extends string>(table: Table<Key>): Translate<Key> {
  const { language } = useSettings().settings;
  return useMemo(() => createTranslate(table, language), [table, language]);
}
