// What the vendors' own clients make of requests, answers and schemas: node sdk_ask.js NODE_MODULES <JOBS >RESULTS
// JOBS is JSON: {name: job}. A job is {"sdk": "openai" | "responses" (OpenAI's) | "anthropic" | "anthropic-2023" (the last that sends the API version
// of 2023), "url": base URL, "request": {…}, "stream": bool,
// "retries": n}, or {"strict": schema} (what openai sends of it), or {"reduce": schema} (what @anthropic-ai/sdk sends of it).
// A result has the final message's text, refusal, finish word, tokens, model, whether it calls tools; or what was thrown.
const modules = process.argv[2];
const OpenAI = require(modules + '/openai').OpenAI;
const Anthropic = require(modules + '/@anthropic-ai/sdk').Anthropic;
const Anthropic2023 = require(modules + '/anthropic-sdk-2023').Anthropic;
const { toStrictJsonSchema } = require(modules + '/openai/lib/transform.js');
const { transformJSONSchema } = require(modules + '/@anthropic-ai/sdk/lib/transform-json-schema.js');

async function askOpenAI(job) {
  const client = new OpenAI({ apiKey: 'sk-wire-0123456789', baseURL: job.url, maxRetries: job.retries ?? 0 });
  const r = job.stream ? await client.chat.completions.stream(job.request).finalChatCompletion()
    : await client.chat.completions.create(job.request);
  const choice = r.choices[0];
  return { text: choice.message.content ?? null, refusal: choice.message.refusal ?? null, finish: choice.finish_reason ?? null,
    tools: (choice.message.tool_calls ?? []).length, model: r.model ?? null,
    tokens: r.usage ? [r.usage.prompt_tokens, r.usage.completion_tokens] : null };
}

async function askAnthropic(job) {
  const Client = job.sdk === 'anthropic' ? Anthropic : Anthropic2023;
  const client = new Client({ apiKey: 'sk-wire-0123456789', authToken: null, baseURL: job.url, maxRetries: job.retries ?? 0 });
  const r = job.stream ? await client.messages.stream(job.request).finalMessage() : await client.messages.create(job.request);
  const u = r.usage;
  return { text: r.content.filter(b => b.type === 'text').map(b => b.text).join('') || null, refusal: null, finish: r.stop_reason,
    tools: r.content.filter(b => b.type === 'tool_use').length, model: r.model,
    tokens: u ? [u.input_tokens + (u.cache_read_input_tokens ?? 0) + (u.cache_creation_input_tokens ?? 0), u.output_tokens] : null };
}

async function askResponses(job) {
  const client = new OpenAI({ apiKey: 'sk-wire-0123456789', baseURL: job.url, maxRetries: job.retries ?? 0 });
  const r = await client.responses.create(job.request);
  return { text: r.output_text || null, refusal: null, finish: r.status, tools: r.output.filter(o => o.type === 'function_call').length,
    model: r.model ?? null, tokens: r.usage ? [r.usage.input_tokens, r.usage.output_tokens] : null };
}

async function run(job) {
  try {
    if (job.strict !== undefined) return { schema: toStrictJsonSchema(job.strict) };
    if (job.reduce !== undefined) return { schema: transformJSONSchema(job.reduce) };
    return await (job.sdk === 'openai' ? askOpenAI : job.sdk === 'responses' ? askResponses : askAnthropic)(job);
  } catch (e) {
    return { thrown: e.constructor.name, status: e.status ?? null, message: String(e.message).slice(0, 200) };
  }
}

async function main() {
  const jobs = JSON.parse(require('fs').readFileSync(0, 'utf8')), results = {};
  await Promise.all(Object.entries(jobs).map(async ([name, job]) => { results[name] = await run(job); }));
  process.stdout.write(JSON.stringify(results));
}
main();
