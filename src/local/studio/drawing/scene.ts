import { paintAnimal } from './animal.ts';
import { paintBotanical } from './botanical.ts';
import { type Canvas, createCanvas } from './canvas.ts';
import { paintCity } from './city.ts';
import { paintDunes } from './dunes.ts';
import { paintGeometric } from './geometric.ts';
import { chooseMood, type Mood } from './mood.ts';
import { paintMountains } from './mountains.ts';
import { paintNightSky } from './night-sky.ts';
import { paintPortrait } from './portrait.ts';
import { firstNamed, wordsMatch } from './prompt-words.ts';
import { createRandom, type Random } from './random.ts';
import { paintWaves } from './waves.ts';

type Paint = (canvas: Canvas, mood: Mood, random: Random, backdrop: boolean, prompt: string) => void;

/** Living subjects. One that the prompt names has priority over every scene. */
const SUBJECTS: readonly (readonly [words: readonly string[], paint: Paint])[] = [
  [['animal', 'cat', 'dog', 'fox', 'bear', 'panda', 'rabbit'], paintAnimal],
  [['portrait', 'feminine', 'masculine'], paintPortrait],
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
};

/** Composes one image as SVG. The same request has the same text on every machine. */
export function composeScene({ prompt, seed, index, width, height, backdrop }: SceneRequest): string {
  const random = createRandom(`${prompt}|${seed}|${index}`);
  const mood = chooseMood(prompt, random);
  const canvas = createCanvas(width, height);
  choosePaint(prompt, random)(canvas, mood, random, backdrop, prompt);
  return canvas.toSvg();
}

function choosePaint(prompt: string, random: Random): Paint {
  const subject = SUBJECTS.find(([words]) => words.some((word) => wordsMatch(word, prompt)));
  if (subject !== undefined) return subject[1];
  const names = Object.keys(SCENES);
  const fitting = wordsMatch('night', prompt) ? ['sky', 'city', 'mountains'] : names;
  return SCENES[firstNamed(names, prompt) ?? random.pick(fitting)] ?? paintMountains;
}
