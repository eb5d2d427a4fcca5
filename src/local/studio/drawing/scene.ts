import { paintAnimal } from './animal.ts';
import { paintBotanical } from './botanical.ts';
import { type Canvas, createCanvas } from './canvas.ts';
import { paintCity } from './city.ts';
import { paintDunes } from './dunes.ts';
import { paintGeometric } from './geometric.ts';
import { paintLighthouse } from './lighthouse.ts';
import { chooseMood, type Mood } from './mood.ts';
import { paintMountains } from './mountains.ts';
import { paintNightSky } from './night-sky.ts';
import { paintOfflineMark } from './offline-mark.ts';
import { paintPortrait } from './portrait.ts';
import { firstNamed, wordsMatch } from './prompt-words.ts';
import { createRandom, type Random } from './random.ts';
import { paintWaves } from './waves.ts';

type Paint = (canvas: Canvas, mood: Mood, random: Random, backdrop: boolean, prompt: string) => void;

/** A subject or scene with its name, which the SVG carries as its description. */
type Motif = readonly [name: string, paint: Paint];

/** Subjects. A subject that the prompt names has priority over every scene. */
const SUBJECTS: readonly (readonly [name: string, words: readonly string[], paint: Paint])[] = [
  ['animal', ['animal', 'cat', 'dog', 'fox', 'bear', 'panda', 'rabbit'], paintAnimal],
  ['person', ['portrait', 'feminine', 'masculine'], paintPortrait],
  ['lighthouse', ['lighthouse'], paintLighthouse],
];

const SCENES: Readonly<Record<string, Paint>> = {
  mountains: paintMountains,
  waves: paintWaves,
  botanical: paintBotanical,
  sky: paintNightSky,
  geometric: paintGeometric,
  city: paintCity,
  dunes: paintDunes,
};

export type SceneRequest = {
  prompt: string;
  seed: string;
  /** Position of the image in the request. Every position has another image. */
  index: number;
  width: number;
  height: number;
  /** If false, the image is transparent behind its subject. */
  backdrop: boolean;
  /** Changes the colors that the prompt suggests. */
  recolor?: (mood: Mood) => Mood;
  /** False leaves out the mark of offline images, for a scene that becomes a part of an image. Default true. */
  isMarked?: boolean;
};

/** Composes one image as SVG. The same request has the same text on every machine. */
export function composeScene(request: SceneRequest): string {
  const { prompt, seed, index, width, height, backdrop, recolor = (mood) => mood, isMarked = true } = request;
  const random = createRandom(`${prompt}|${seed}|${index}`);
  const mood = recolor(chooseMood(prompt, random));
  const canvas = createCanvas(width, height);
  const [name, paint] = choosePaint(prompt, random);
  canvas.add(`<desc>${name}</desc>`);
  paint(canvas, mood, random, backdrop, prompt);
  if (isMarked) paintOfflineMark(canvas);
  return canvas.toSvg();
}

function choosePaint(prompt: string, random: Random): Motif {
  const [request = '', ...template] = prompt.split('\n\n');
  const named = namedMotif(request) ?? namedMotif(unconditional(template.join('\n\n')));
  if (named !== null) return named;
  const names = Object.keys(SCENES);
  const fitting = wordsMatch('night', prompt) ? ['sky', 'city', 'mountains'] : names;
  return sceneNamed(random.pick(fitting)) ?? ['mountains', paintMountains];
}

function namedMotif(text: string): Motif | null {
  const subject = SUBJECTS.find(([, words]) => words.some((word) => wordsMatch(word, text)));
  if (subject !== undefined) return [subject[0], subject[2]];
  return sceneNamed(firstNamed(Object.keys(SCENES), text) ?? '');
}

function sceneNamed(name: string): Motif | null {
  const paint = SCENES[name];
  return paint === undefined ? null : [name, paint];
}

/** Returns the clauses of a preset that apply to every image. Others name people or places that the image must not show. */
function unconditional(template: string): string {
  return template
    .split(/[.;:,\n]/)
    .filter((clause) => !/\b(?:only if|unless|no|not|without|hero is|where the subject)\b/i.test(clause))
    .join('. ');
}
