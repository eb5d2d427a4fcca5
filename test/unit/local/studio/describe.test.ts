import { describe, expect, it } from 'vitest';
import { describeImage } from '../../../../src/local/studio/describe/describe.ts';
import { detectLanguage } from '../../../../src/local/studio/describe/language.ts';

// Each row has a language, a request, the text that must remain and the text that must be removed.
const REQUESTS = [
  ['zh', '生成一幅美女的照片', '主体是美女', '生成'],
  ['ja', '猫の写真を生成してください', '主役は猫で', '生成'],
  ['ko', '고양이를 그려줘', ': 고양이.', '그려'],
  ['ar', 'أنشئ صورة لقطة بيضاء', 'قطة بيضاء', 'أنشئ'],
  ['he', 'צור תמונה של כלב', 'כלב', 'צור תמונה'],
  ['ru', 'нарисуй рыжую лису в лесу', 'рыжую лису в лесу', 'нарисуй'],
  ['el', 'φτιάξε μια εικόνα με μια γάτα', 'μια γάτα', 'φτιάξε'],
  ['th', 'สร้างภาพของแมว', 'แมว', 'สร้าง'],
  ['hi', 'एक बिल्ली की तस्वीर बनाओ', 'एक बिल्ली', 'बनाओ'],
  ['es', 'Genera una foto de una mujer en la playa', 'una mujer en la playa', 'Genera'],
  ['fr', 'Génère une image d’un chat noir', 'un chat noir', 'Génère'],
  ['de', 'Erstelle ein Bild von einem Hund am Meer', 'einem Hund am Meer', 'Erstelle'],
  ['pt', 'Crie uma imagem de um barco no mar', 'um barco no mar', 'Crie'],
  ['en', 'Please draw an image of a red fox', 'a red fox', 'Please draw'],
] as const;

describe('describeImage', () => {
  it.each(REQUESTS)(
    'describes a request in %s in its language with its subject, without the instruction',
    (language, request, subject, asking) => {
      const text = describeImage(request);
      expect(detectLanguage(request)).toBe(language);
      expect(detectLanguage(text)).toBe(language);
      expect(text).toContain(subject);
      expect(text).not.toContain(asking);
      expect(text.length).toBeGreaterThan(request.length + 80);
    },
  );

  it.each(['"HELLO  World"', '“向前”', '「準備中」', '«Открыто»'])(
    'retains the quotation %s unchanged in the description',
    (quotation) => {
      expect(describeImage(`a sign that says ${quotation} on a wall`)).toContain(quotation);
    },
  );

  it('does not describe an image in the language of a quotation', () => {
    expect(detectLanguage(describeImage('a shop with the sign “欢迎光临欢迎光临欢迎光临”'))).toBe('en');
  });

  it('retains studio words unchanged in the description', () => {
    const word = '[studio:rate-limit=1,times=2]';
    expect(describeImage(`画一只猫 ${word}`)).toContain(word);
    expect(describeImage(word)).toContain(word);
  });

  it('extends a text of several sentences without changing it', () => {
    const text = 'A man walks. He carries a bag! It rains.';
    expect(describeImage(text).startsWith(text)).toBe(true);
  });

  it('removes delimiters around the whole message', () => {
    expect(describeImage('<prompt>\na tiny robot\n</prompt>')).toMatch(/^a tiny robot, /);
    expect(describeImage('"""\na tiny robot\n"""')).toMatch(/^a tiny robot, /);
  });

  it('does not treat the beginning of a noun as an instruction', () => {
    expect(describeImage('画家在工作室')).toContain('画家在工作室');
    expect(describeImage('设计师的桌子')).toContain('设计师的桌子');
  });

  it('describes texts that contain replacement patterns without expanding them', () => {
    expect(describeImage('a sign $& $1 {s} {q}')).toContain('$& $1 {s} {q}');
  });

  it('describes the same request identically and other requests differently', () => {
    expect(describeImage('a cat')).toBe(describeImage('a cat'));
    const tails = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => describeImage(name).slice(1));
    expect(new Set(tails).size).toBeGreaterThan(1);
  });
});
