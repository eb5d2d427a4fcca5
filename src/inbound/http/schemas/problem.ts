import { z } from 'zod';
import { budgetWindows } from '../../../domain/access-policy.ts';
import { billings, errorCodes } from '../../../domain/errors.ts';
import { problemExample } from '../examples.ts';
import type { SchemaGroup } from '../json-schema.ts';

const ErrorCode = z.enum(errorCodes);

const FieldIssue = z.object({
  pointer: z
    .string()
    .describe('JSON Pointer into the body; `/query/NAME`, `/params/NAME` or `/headers/NAME` elsewhere.'),
  detail: z.string().describe('Fault of this field.'),
});

/** Error in the form of the OpenAI API. */
export const OpenAIError = z
  .object({
    message: z.string(),
    type: z.string().describe('Kind of error in the terms of the OpenAI API.'),
    code: z.string().describe('The code, or the name by which clients of the OpenAI API know it.'),
    param: z.string().nullable().describe('Name of the faulty field.'),
  })
  .describe('The error in the form of the OpenAI API, for its clients.');

/** Figures of one window of a budget. */
export const BudgetFigures = z
  .object({
    name: z.string().describe('Owner and window of the budget, such as `key_day` or `tenant_month`.'),
    window: z.enum(budgetWindows),
    limit_micro_usd: z.int().describe('The limit with its overrides.'),
    spent_micro_usd: z.int().describe('Known costs of the jobs that the window accepted.'),
    held_micro_usd: z.int().describe('Amounts that these jobs may still cost.'),
    resets_at: z.iso.datetime().nullable().describe('End of the window; null for a total budget.'),
  })
  .describe('Figures of one window of a budget.');

const Problem = z
  .object({
    type: z.string().meta({ format: 'uri-reference' }).describe('Link to the documentation of the code.'),
    title: z.string().describe('Meaning of the code, the same for every occurrence.'),
    status: z.int().describe('HTTP status.'),
    detail: z.string().describe('Description of this occurrence, with the action to take.'),
    instance: z.string().describe('Path of the request.'),
    code: ErrorCode,
    retryable: z.boolean().describe('Whether the same request may succeed later.'),
    request_id: z.string().describe('Id of the request, for support.'),
    errors: z.array(FieldIssue).describe('Faulty fields of the request. Empty for other errors.'),
    error: OpenAIError,
    budget: BudgetFigures.optional().describe(
      'The budget that the request does not fit. Only with `budget_exceeded`.',
    ),
    estimate_micro_usd: z
      .int()
      .nullable()
      .optional()
      .describe('Only with `budget_exceeded`: the amount that had to be held; null if unknown.'),
    billing: z
      .enum(billings)
      .optional()
      .describe('Only of an enhancement that was accepted and brought no description: its charge.'),
    'violated-policies': z
      .array(z.string())
      .optional()
      .describe('Only with `too_many_requests`: names of the exhausted limits, as in `RateLimit-Policy`.'),
  })
  .describe('An error (RFC 9457).');

/** Schemas of errors. */
export const problemSchemas: SchemaGroup = {
  responses: { BudgetFigures, FieldIssue, OpenAIError, Problem },
  values: {
    ErrorCode: {
      values: errorCodes,
      description: 'Stable error code. New codes may be added.',
    },
  },
  notes: { Problem: { examples: [problemExample] } },
};
