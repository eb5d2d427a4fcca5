export type Language =
  | 'zh'
  | 'ja'
  | 'ko'
  | 'ar'
  | 'he'
  | 'ru'
  | 'el'
  | 'th'
  | 'hi'
  | 'es'
  | 'fr'
  | 'de'
  | 'pt'
  | 'en';

const SCRIPTS: readonly (readonly [Language, RegExp])[] = [
  ['zh', /\p{Script=Han}/gu],
  ['ko', /\p{Script=Hangul}/gu],
  ['ar', /\p{Script=Arabic}/gu],
  ['he', /\p{Script=Hebrew}/gu],
  ['ru', /\p{Script=Cyrillic}/gu],
  ['el', /\p{Script=Greek}/gu],
  ['th', /\p{Script=Thai}/gu],
  ['hi', /\p{Script=Devanagari}/gu],
];

const KANA = /[\p{Script=Hiragana}\p{Script=Katakana}]/u;

// Words that are common in one of these languages and rare in the others.
const STOP_WORDS: Readonly<Record<'es' | 'fr' | 'de' | 'pt', string>> = {
  es: 'el los las una un unos del al y con en por para sobre bajo foto imagen genera crea dibuja haz mujer hombre está niño',
  fr: 'le les une un des du au aux et avec dans sur sous pour photo image génère crée dessine fais femme homme est chez',
  de: 'der die das ein eine einen einem einer und mit auf im am vor für von zu bild foto erstelle zeichne mach frau mann ist bei',
  pt: 'o os as uma um dos das do da e com em no na por para sobre foto imagem gere crie desenhe faça mulher homem está não',
};

const LETTERS: Readonly<Record<'es' | 'fr' | 'de' | 'pt', RegExp>> = {
  es: /[ñ¿¡]/i,
  fr: /[êèâçœîùë]/i,
  de: /[äöüß]/i,
  pt: /[ãõ]/i,
};

/** Detects the language of a text by its main script, and for the Latin script by common words. Default English. */
export function detectLanguage(text: string): Language {
  if (KANA.test(text)) return 'ja';
  const latin = (text.match(/\p{Script=Latin}/gu) ?? []).length;
  let best: Language = 'en';
  // One character of these scripts has about the weight of three Latin letters.
  let max = latin / 3;
  for (const [language, script] of SCRIPTS) {
    const count = (text.match(script) ?? []).length;
    if (count > max) {
      best = language;
      max = count;
    }
  }
  return best === 'en' ? detectLatin(text) : best;
}

function detectLatin(text: string): Language {
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? [];
  const score = (list: string) => {
    const known = new Set(list.split(' '));
    return words.filter((word) => known.has(word)).length;
  };
  let best: Language = 'en';
  let max = score(
    'the a an of and with in on at for is photo image picture generate create draw make portrait woman man',
  );
  for (const language of ['es', 'fr', 'de', 'pt'] as const) {
    const total = score(STOP_WORDS[language]) + (LETTERS[language].test(text) ? 1.5 : 0);
    if (total > max) {
      best = language;
      max = total;
    }
  }
  return best;
}
