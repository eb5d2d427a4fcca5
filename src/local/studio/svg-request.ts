import type { ModelFamily } from './models.ts';
import { invalid } from './refusals.ts';
import { isRecord } from './text-request.ts';

/** The text model that writes a drawing. */
export type SvgRequest = { readonly model: string };

type Body = Readonly<Record<string, unknown>>;

const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'];
/** Model of an edit that names none. */
const DEFAULT_MODEL = 'studio-writer';

/**
 * Reads `svg` of a request for a drawing, `null` for any other image.
 *
 * @throws StudioRefusal 400 naming the parameter
 */
export function readSvg(
  body: Body,
  { format, family, isEdit }: { format: string; family: ModelFamily; isEdit: boolean },
): SvgRequest | null {
  const svg = body.svg ?? null;
  if (format !== 'svg') {
    if (svg !== null) throw invalid('svg', 'invalid_value', "'svg' needs output_format svg.");
    return null;
  }
  if (!family.makesSvg) {
    throw invalid('output_format', 'invalid_value', "This model does not support the output_format 'svg'.");
  }
  if (svg !== null && !isRecord(svg)) throw wrongType('svg', 'an object');
  const { model = null, reasoning = null, ...unknown } = svg ?? {};
  refuseMembers('svg', unknown);
  checkReasoning(reasoning);
  if (model !== null && typeof model !== 'string') throw wrongType('svg.model', 'a string');
  if (!model && !isEdit) {
    throw invalid('svg.model', 'missing_required_parameter', "Missing required parameter: 'svg.model'.");
  }
  return { model: model || DEFAULT_MODEL };
}

function checkReasoning(reasoning: unknown): void {
  if (reasoning === null) return;
  if (!isRecord(reasoning)) throw wrongType('svg.reasoning', 'an object');
  const { effort = null, ...unknown } = reasoning;
  refuseMembers('svg.reasoning', unknown);
  if (effort === null || (typeof effort === 'string' && EFFORTS.includes(effort))) return;
  const list = EFFORTS.map((each) => `'${each}'`).join(', ');
  throw invalid('svg.reasoning.effort', 'invalid_value', `Invalid value. Supported values are: ${list}.`);
}

function refuseMembers(param: string, members: object): void {
  const [name] = Object.keys(members);
  if (name === undefined) return;
  throw invalid(`${param}.${name}`, 'unknown_parameter', `Unknown parameter: '${param}.${name}'.`);
}

const wrongType = (param: string, expected: string) =>
  invalid(param, 'invalid_type', `Invalid type for '${param}': expected ${expected}.`);
