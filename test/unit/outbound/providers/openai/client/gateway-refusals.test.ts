import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../../../../src/domain/errors.ts';
import {
  classifyResponse,
  classifyStatedError,
} from '../../../../../../src/outbound/providers/openai/client/classify-failure.ts';

/** Refusals as gateways and other providers send them: status and body, by their meaning. */
const refusals: Partial<Record<ErrorCode, readonly (readonly [number, string])[]>> = {
  provider_quota_exhausted: [
    [
      429,
      '{"error":{"message":"litellm.RateLimitError: RateLimitError: OpenAIException - You exceeded your current quota, please check your plan and billing details.","type":"throttling_error","code":"429"}}',
    ],
    [429, '{"error":{"message":"Your credit balance is too low to use the API","type":"rate_limit_error"}}'],
    [400, '{"error":"insufficient_quota"}'],
    [400, '{"error":{"message":"billing_hard_limit_reached"}}'],
    [400, '{"detail":"insufficient_quota"}'],
    [400, '"insufficient_quota"'],
    [400, '{"err":{"code":"insufficient_quota"}}'],
    [400, '{"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}'],
    [
      401,
      '{"error":{"message":"该令牌额度已用尽 TokenStatusExhausted[sk-abc***xyz] (request id: 2025)","type":"new_api_error"}}',
    ],
    [403, '{"error":{"message":"用户额度不足 (request id: x)","type":"one_api_error"}}'],
    [403, '{"error":{"message":"用户额度不足, 剩余额度: ＄0.000000","type":"new_api_error"}}'],
    [401, '{"error":{"message":"令牌额度不足","type":"one_api_error"}}'],
    [
      401,
      '{"error":{"message":"Authentication Error, ExceededTokenBudget: Current spend for token: 0.1; Max Budget for Token: 0.0","type":"auth_error","param":"None","code":401}}',
    ],
    [
      400,
      '{"error":{"message":"ExceededBudget: User=u over budget. Spend=1, Budget=0.5","type":"auth_error","param":"None","code":"400"}}',
    ],
    [
      400,
      '{"error":{"message":"Authentication Error, Budget has been exceeded! Current cost: 1, Max budget: 0.5","type":"auth_error","code":"400"}}',
    ],
    [
      403,
      '{"error":{"code":403,"message":"Key limit exceeded (total limit). Manage it using https://openrouter.ai/settings/keys"}}',
    ],
    [403, '{"code":30001,"message":"Sorry, your account balance is insufficient","data":null}'],
    [
      403,
      '{"detail":"User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing."}',
    ],
    [402, '{"name":"payment_required","errors":["You lack sufficient credits"]}'],
    [
      403,
      '{"code":"The caller does not have permission to execute the specified operation","error":"Your newly created teams doesn\'t have any credits yet. You can purchase those on https://console.x.ai"}',
    ],
    [
      412,
      '{"error":{"message":"Account acme is suspended, possibly due to reaching the monthly spending limit or failure to pay past invoices.","code":"PRECONDITION_FAILED"}}',
    ],
    [
      403,
      '{"error":{"code":"403","message":"Out of call volume quota. Quota will be replenished in 12.10:15:00."}}',
    ],
    [403, '{"statusCode":403,"message":"Out of call volume quota. Quota will be replenished in 02:10:15."}'],
    [
      403,
      '{"error":{"code":403,"message":"x","status":"PERMISSION_DENIED","details":[{"reason":"BILLING_DISABLED"}]}}',
    ],
    [
      403,
      '{"error":{"code":"AccountOverdueError","message":"The request failed because your account has an overdue balance.","type":"Forbidden"}}',
    ],
    [
      403,
      '{"code":"AllocationQuota.FreeTierOnly","message":"The free tier of the model has been exhausted."}',
    ],
    [429, '{"error":{"code":"1113","message":"您的账户已欠费，请充值后重试。"}}'],
    [
      429,
      '{"error":{"message":"429 You exceeded your current quota, please check your plan and billing details."}}',
    ],
    [429, '{"error":{"message":"status_code=429, You exceeded your current quota, please check your plan"}}'],
    [400, '{"error":{"message":"OpenAI API error: 400 Billing hard limit has been reached"}}'],
    [
      400,
      '{"error":{"code":400,"message":"Provider returned error","metadata":{"raw":"{\\"error\\":{\\"message\\":\\"Billing hard limit has been reached\\",\\"type\\":\\"billing_limit_user_error\\",\\"code\\":\\"billing_hard_limit_reached\\"}}","provider_name":"OpenAI"}}}',
    ],
    [200, '{"errors":[{"message":"x","extensions":{"code":"insufficient_quota"}}]}'],
    [400, '{"error":{"message":"x","cause":{"code":"insufficient_quota"}}}'],
    [400, '{"error":{"message":"x","upstream_error":{"code":"insufficient_quota"}}}'],
    [402, '{"error":"You have exceeded your monthly included credits"}'],
    [402, '{"error":{"message":"x","type":"insufficient_funds"}}'],
    [429, '{"error":{"code":"QUOTA_EXHAUSTED"}}'],
    [403, '{"error":{"code":"NOT_ENOUGH_BALANCE"}}'],
    [400, '{"error":{"code":"credits_exhausted"}}'],
    [403, '{"error":{"code":"spending_limit_reached"}}'],
    [403, '{"error":{"code":"out_of_credits"}}'],
    [403, '{"error":{"type":"credit_limit"}}'],
    [403, '{"error":{"code":"monthly_spend_limit_reached"}}'],
    [400, '{"error":{"code":"billing_soft_limit_reached"}}'],
    [400, '{"error":{"code":"project_budget_exceeded"}}'],
    [400, '"Billing hard limit has been reached."'],
    [400, '{"error":"{\\"error\\":\\"{\\\\\\"code\\\\\\":\\\\\\"insufficient_quota\\\\\\"}\\"}"}'],
    [400, "{\"detail\":\"{'error': {'message': \\\"it's\\\", 'code': 'insufficient_quota'}}\"}"],
    [400, '{"detail":"b\'{\\"error\\":{\\"code\\":\\"insufficient_quota\\"}}\'"}'],
    [
      400,
      '{"error":{"message":"bad response status code 400, message: {\\"error\\":{\\"code\\":\\"insufficient_quota\\"}}"}}',
    ],
    [400, '{"message":"OpenAI error 429: {\\"error\\":{\\"code\\":\\"insufficient_quota\\"}}"}'],
  ],
  moderation_blocked: [
    [400, '{"output":{"code":"DataInspectionFailed","task_status":"FAILED"}}'],
    [
      400,
      '{"error":{"code":"400","message":"x","provider_specific_fields":"{\\"code\\":\\"content_filter\\"}"}}',
    ],
    [
      403,
      '{"error":{"code":403,"message":"Your chosen model requires moderation and your input was flagged for \\"sexual\\". No credits were charged.","metadata":{"reasons":["sexual"],"flagged_input":"a","provider_name":"OpenAI"}}}',
    ],
    [
      403,
      '{"error":{"code":403,"message":"Your input was flagged","metadata":{"reasons":["sexual"],"flagged_input":"a","provider_name":"OpenAI"}}}',
    ],
    [
      422,
      '{"detail":[{"loc":["body","prompt"],"msg":"The content could not be processed because it contained material flagged by a content checker.","type":"content_policy_violation"}]}',
    ],
    [
      403,
      '{"id":"x","name":"content_moderation","errors":["Your request was flagged by our content moderation system."]}',
    ],
    [
      400,
      '{"code":"Client specified an invalid argument","error":"Generated image rejected by content moderation."}',
    ],
    [
      403,
      '{"code":"The caller does not have permission to execute the specified operation","error":"Content violates usage guidelines. Team: x, API key ID: y, Model: z, Failed check: SAFETY_CHECK_TYPE_CSAM"}',
    ],
    [400, '{"error":{"code":"OutputImageSensitiveContentDetected","message":"x","type":"BadRequest"}}'],
    [
      400,
      '{"error":{"code":"InputTextSensitiveContentDetected.PolicyViolation","message":"x","type":"BadRequest"}}',
    ],
    [400, '{"code":"DataInspectionFailed","message":"x"}'],
    [400, '{"error":{"code":"1301","message":"系统检测到输入或生成内容可能包含不安全或敏感内容"}}'],
    [400, '{"data":{"error":{"code":"moderation_blocked"}}}'],
    [446, '{"error":{"message":"The guardrail checks defined in the config failed","type":"hooks_failed"}}'],
    [
      424,
      '{"success":false,"error":[{"code":2016,"message":"Prompt blocked due to security configurations"}]}',
    ],
    [422, '{"detail":"NSFW content detected. Try running it again, or try a different prompt."}'],
    [400, '{"error":{"code":"moderation_failed"}}'],
    [400, '{"error":{"code":"content_safety"}}'],
    [400, '{"error":{"code":"safety_system"}}'],
    [403, '{"error":{"code":"prompt_rejected","message":"Your prompt was rejected by our safety system."}}'],
    [400, '{"error":{"code":"image_safety"}}'],
    [400, '{"error":{"code":"nsfw_content"}}'],
    [400, '{"error":{"code":"PROHIBITED_CONTENT"}}'],
    [
      400,
      '{"error":{"message":"This request has been blocked by our content filters.","type":"invalid_request_error","code":"invalid_request"}}',
    ],
    [
      400,
      '{"error":{"message":"Your request was rejected as a result of our safety system. Your prompt may contain text that is not allowed by our safety system.","type":"invalid_request_error","code":null}}',
    ],
  ],
  provider_unauthorized: [
    [400, '{"error":{"code":"organization_disabled","message":"x"}}'],
    [400, '{"error":{"message":"This organization has been disabled."}}'],
    [
      400,
      '{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"x","reason":"API_KEY_INVALID"}]}}',
    ],
    [
      400,
      '[{"error":{"code":400,"message":"API key expired. Please renew the API key.","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}]',
    ],
    [400, '{"error":{"code":"invalid_token"}}'],
    [400, '{"error":{"code":"unauthorized"}}'],
    [400, '{"error":{"type":"permission_error"}}'],
  ],
  provider_rate_limited: [
    [
      429,
      '{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details. Please retry in 34.07s.","status":"RESOURCE_EXHAUSTED"}}',
    ],
    [
      429,
      '{"error":{"message":"Rate limit reached for images. Billing limit pages are not read.","code":"rate_limit_exceeded"}}',
    ],
    [429, '{"fault":{"faultstring":"x","detail":{"errorcode":"policies.ratelimit.QuotaViolation"}}}'],
  ],
  provider_rejected: [
    // Gateways send the request back, and a caller writes what he likes into it.
    [
      422,
      '{"detail":[{"msg":"Extra inputs","type":"extra_forbidden"}],"body":{"prompt":"x","code":"insufficient_quota"}}',
    ],
    [
      422,
      '{"detail":"Extra inputs","body":"{\\"prompt\\":\\"x\\",\\"error\\":{\\"code\\":\\"invalid_api_key\\"}}"}',
    ],
    [400, '{"error":{"message":"x","metadata":{"name":"account_deactivated","code":"insufficient_quota"}}}'],
    [400, '{"error":{"message":"This user has been blocked","code":"user_blocked"}}'],
    [
      401,
      '{"error":{"message":"key not allowed to access model. Tried to access gpt-image-1","type":"key_model_access_denied","param":"model","code":"401"}}',
    ],
    // A caller passes such an option in `provider_options`.
    [
      401,
      '{"error":{"message":"Authentication Error, Rejected Request: api_base is not allowed in request body. Enable with `general_settings::allow_client_side_credentials` on proxy config.yaml.","type":"auth_error","param":"None","code":"401"}}',
    ],
    [403, '{"error":{"message":"Team not allowed to access model. Tried to access gpt-image-1"}}'],
    [
      403,
      '{"error":{"code":"","message":"该令牌无权访问模型 gpt-image-1 (request id: x)","type":"new_api_error"}}',
    ],
    [
      400,
      '{"error":{"message":"Invalid prompt: {\\"error\\":{\\"code\\":\\"insufficient_quota\\"}}","code":"invalid_prompt"}}',
    ],
    [
      400,
      '{"error":{"message":"Invalid value: \\"billing hard limit has been reached\\"","code":"invalid_value"}}',
    ],
    [400, '{"error":{"message":"\\"You exceeded your current quota\\" is not a valid prompt"}}'],
  ],
};

describe('a refusal of a gateway', () => {
  const rows = Object.entries(refusals).flatMap(([code, all]) =>
    all.map(([status, body]) => [status, body, code] as const),
  );
  it.each(rows)('classifies status %i with %s as %s', (status, body, code) => {
    const parsed: unknown = JSON.parse(body);
    const failure =
      status === 200
        ? classifyStatedError(parsed, { status })
        : classifyResponse({ status, body: parsed, header: () => null }, 0);
    expect(failure).toMatchObject({ code, billing: 'none' });
  });
});
