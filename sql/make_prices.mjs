// Writes sql/prices.tsv, sql/providers.tsv and sql/usage.tsv from the facts in npm @pydantic/genai-prices (MIT).
//
//   npm install @pydantic/genai-prices@0.1.8 && node sql/make_prices.mjs node_modules 0.1.8 2026-09-23
//
// Arguments: the node_modules folder, the package's version, the day it was published (its prices were checked by
// then). The formats are described in ext/core/price/catalogue.c. What the formats can't say is left out and counted on
// standard error. `make prices` runs this.
import { writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const [modules, version, published] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const genai = await import(pathToFileURL(join(resolve(modules), "@pydantic/genai-prices/dist/index.js")));
const providers = await genai.waitForUpdate();
const leftOut = {};
const skip = (what) => { leftOut[what] = (leftOut[what] ?? 0) + 1; return null; };

// --- units: "cache_audio_read_tokens" and "cache_audio_read_mtok" are our "cache_read_audio"

const COUNTERS = {
  requests: "request", web_searches: "web_search", storage_searches: "file_search", social_searches: "social_search",
  code_executions: "code_execution", rerank_searches: "rerank", input_document_pages: "page",
  input_annotated_document_pages: "annotated_page", input_characters: "character", input_text_messages: "message",
};
const PER = { _mtok: ["_tokens", 1], _kcount: ["", 1000], _kpages: ["_pages", 1000], _mchars: ["_characters", 1] };
const COUNT_KEYS = {
  requests_kcount: "requests", web_searches_kcount: "web_searches", storage_searches_kcount: "storage_searches",
  social_searches_kcount: "social_searches", code_executions_kcount: "code_executions",
  rerank_searches_kcount: "rerank_searches", input_text_messages_kcount: "input_text_messages",
};

// Our name of a usage key, or null.
function unitOfUsage(key) {
  if (COUNTERS[key]) return COUNTERS[key];
  const m = /^(cache|input|output)_(?:(text|audio|image|video)_)?(?:(read|write|tool|reasoning|citation)_)?(?:(5m|1h)_)?tokens$/.exec(key);
  if (!m) return skip("unit " + key);
  const [, side, modality, type, ttl] = m;
  const base = side === "cache" ? "cache_" + type + (ttl ? "_" + ttl : "")
    : type === "tool" ? "input_tool" : type ?? side;
  return base + (modality ? "_" + modality : "");
}

// Our name of a price key and what its price is multiplied by to be per million; or null.
function unitOfPrice(key) {
  if (COUNT_KEYS[key]) return [unitOfUsage(COUNT_KEYS[key]), 1000];
  for (const [end, [tail, times]] of Object.entries(PER)) {
    if (key.endsWith(end)) {
      const unit = unitOfUsage(key.slice(0, -end.length) + tail);
      return unit && [unit, times];
    }
  }
  return skip("price " + key);
}

// --- names: match rules become GLOB patterns, '!' in front of what must not match

function regexToGlobs(regex) {
  if (regex === "^(?!.*-[tT][tT][sS](?:$|-))") return ["!*-tts", "!*-tts-*"];
  if (regex === "^o[134]") return ["o1*", "o3*", "o4*"];
  const mistral = /^\^\(\?!\[\^\/\]\+\/\)\(\?:labs-\)\?\(\?:\(\?:([a-z|]+)\)stral\|([a-z|]+)\|open-\(\?:([a-z|]+)\)\)$/.exec(regex);
  if (mistral) {
    const [, heads, names, open] = mistral.map((x) => x.split("|"));
    const all = [...heads.map((x) => x + "stral"), ...names, ...open.map((x) => "open-" + x)];
    return ["!*/*", ...all.flatMap((x) => [x + "*", "labs-" + x + "*"])];
  }
  let glob = regex.startsWith("^") ? "" : "*";
  const body = regex.replace(/^\^/, "").replace(/\$$/, "");
  const token = /\\d(?:\{(\d+)\})?|\\(.)|([A-Za-z0-9\/=_-])/gy;
  let at = 0, m;
  while ((m = token.exec(body))) {
    at = token.lastIndex;
    glob += m[2] ? (m[2] === "[" ? "[[]" : m[2]) : m[3] ?? "[0-9]".repeat(Number(m[1] ?? 1));
  }
  if (at !== body.length) return skip("regex " + regex) ?? [];
  return [glob + (regex.endsWith("$") ? "" : "*")];
}

function globs(match) {
  const lit = (s) => s.toLowerCase().replaceAll("[", "[[]").replaceAll("*", "[*]").replaceAll("?", "[?]");
  if (!match) return [];
  if (match.or || match.and) return (match.or ?? match.and).flatMap(globs);
  if (match.equals !== undefined) return [lit(match.equals)];
  if (match.starts_with !== undefined) return [lit(match.starts_with) + "*"];
  if (match.ends_with !== undefined) return ["*" + lit(match.ends_with)];
  if (match.contains !== undefined) return ["*" + lit(match.contains) + "*"];
  return regexToGlobs(match.regex);
}

const words = (list) => [...new Set(list)].join(" ") || "-";

// --- prices

// The package says "from 272,000" of OpenAI's long prompts where the price page, LiteLLM and promptfoo say above it.
const threshold = (start) => start === 271999 ? 272000 : start;
const decimal = (x, times) => String(Number((x * times).toPrecision(15)));

// Who resells Claude charges one-hour writes as Anthropic does, twice the row's own input: AWS for the models it keeps
// prefixes an hour of (price list; langsmith-sdk #3277, llmgateway PR 2193), OpenRouter (20.00 charged for fable-5.1,
// hermes-agent PR 104168), Vertex (same multipliers, platform.claude.com/docs pricing; llmgateway models 1.324.0).
const WRITES_1H = {
  aws: /anthropic\.claude-(fable|mythos|(opus|haiku|sonnet)-(4-[5-9]|5))/,
  google: /^claude-(fable|mythos|(opus|haiku|sonnet)-([45]|4-[0-9])|4-|3-)/,
  openrouter: /^~?anthropic\/claude-(fable|mythos|(opus|haiku|sonnet)-([45]|latest)|3\.[57])/,
};
function addHourWrites(provider, model, prices) {
  if (!WRITES_1H[provider]?.test(model) || prices.cache_write_mtok === undefined || prices.cache_write_1h_mtok !== undefined) {
    return prices;
  }
  const { input_mtok: input } = prices, twice = (x) => Number((2 * x).toPrecision(12));
  return { ...prices, cache_write_1h_mtok: typeof input === "number" ? twice(input)
    : { base: twice(input.base), tiers: input.tiers.map((t) => ({ ...t, price: twice(t.price) })) } };
}

// OpenRouter charges a write of Gemini's cache as input and five minutes of storage (openrouter.ai/docs, prompt caching). Of the
// later models its list gives the storage alone.
function addStorage(provider, model, prices) {
  const { input_mtok: input, cache_write_mtok: write } = prices;
  return provider === "openrouter" && model.includes("gemini") && write < input
    ? { ...prices, cache_write_mtok: Number((input + write).toPrecision(12)) } : prices;
}

// One block of prices as rows by threshold: [[above, "input=… output=…"], …]
function rowsOf(prices) {
  const at = new Map([[0, []]]);
  const add = (above, unit, price, times) => {
    if (!at.has(above)) at.set(above, []);
    at.get(above).push(`${unit}=${decimal(price, times)}`);
  };
  for (const [key, price] of Object.entries(prices)) {
    const unit = unitOfPrice(key);
    if (!unit) continue;
    add(0, unit[0], typeof price === "number" ? price : price.base, unit[1]);
    for (const tier of price.tiers ?? []) add(threshold(tier.start), unit[0], tier.price, unit[1]);
  }
  if (Object.keys(prices).length === 0) at.get(0).push("input=0", "output=0"); // listed without prices: free
  return [...at].filter(([, list]) => list.length).sort((a, b) => a[0] - b[0]);
}

// Cursor's order of the parts of a name, where the package has it not.
const MORE_SPELLINGS = Object.fromEntries(["sonnet-4-5", "sonnet-4-6", "opus-4-7", "opus-4-8", "sonnet-5", "opus-5", "opus-5-5"].map((name) => {
  const [family, ...version] = name.split("-");
  return ["claude-" + name, [...new Set([".", "-"].map((dot) => `claude-${version.join(dot)}-${family}*`))]];
}));

// A seller's model without the cache prices that its maker's has is not known to bill the cache as input: '?'.
const plain = (name) => name.toLowerCase().split("/").pop().replace(/:\w+$/, "").replace(/^.*(anthropic|openai)\./, "").replaceAll(".", "-")
  .replace(/(-v\d|-preview|-latest|-20\d\d-?\d\d-?\d\d|-0\d\d|-[01]\d-[0-3]\d|-[01]\d-20\d\d|-[01]\d[0-3]\d|-2\d\d\d|@.*)+$/, "");
const MAKERS = ["anthropic", "openai", "google", "x-ai", "mistral", "deepseek", "moonshotai", "minimax", "zai", "zhipuai"];
const cacheOf = new Map();
for (const provider of providers.filter((p) => MAKERS.includes(p.id))) {
  for (const model of provider.models) {
    for (const { prices } of Array.isArray(model.prices) ? model.prices : [model]) {
      const has = cacheOf.get(plain(model.id)) ?? new Set();
      for (const key of ["cache_read_mtok", "cache_write_mtok"]) if (prices?.[key] !== undefined) has.add(key);
      cacheOf.set(plain(model.id), has);
    }
  }
}
function unknownCache(provider, model, prices) {
  if (MAKERS.includes(provider) || !prices.input_mtok) return [];
  return [...cacheOf.get(plain(model)) ?? []].filter((key) => prices[key] === undefined).map((key) => `${unitOfPrice(key)[0]}=?`);
}

// Constraints hold from the last to the first. An hour of the day that stands behind a start date began with it.
function modelLines(provider, model) {
  const blocks = Array.isArray(model.prices) ? model.prices : [{ prices: model.prices }];
  let names = words([...globs(model.match), ...MORE_SPELLINGS[model.id] ?? []]), from = "-";
  return blocks.flatMap(({ constraint: c, prices }) => {
    from = c?.start_date ?? from;
    const hours = c?.start_time ? `${c.start_time.slice(0, 5)}-${c.end_time.slice(0, 5)}` : "-";
    return rowsOf(addStorage(provider, model.id, addHourWrites(provider, model.id, prices))).map(([above, list]) => {
      const all = above === 0 ? [...list, ...unknownCache(provider, model.id, prices)] : list;
      const line = [model.id, names, c ? from : "-", "-", hours, above, "standard", all.join(" ")].join("\t");
      names = "-";
      return line;
    });
  });
}

const head = [`# Generated by sql/make_prices.mjs from npm @pydantic/genai-prices ${version} (MIT): do not edit.`];
const priceLines = [...head,
  "# model\tnames\tvalid_from\tvalid_to\thours\tabove_tokens\tservice\tprices (US dollars per million)",
  `@source\tgenai-prices ${version}`, `@checked\t${published}`];
// Who has open weights run by others does not sell them; a name that moved on to another model means neither.
// Names and prices that are another seller's, prices per character, and what is sold by the song, are not theirs either.
const NOT_SOLD = { openai: /^gpt-oss/, deepseek: /^deepseek-v3/, moonshotai: /^kimi-k2$/, perplexity: /^sonar-pro-search$/,
  mistral: /^(mistral-small-latest|.*:free|mistral-small-(24b|3\.[12]-24b)-instruct.*|mixtral-8x22b-instruct)$/,
  google: /^gemini-(1\.0-)?pro(-vision-001)?$/, openrouter: /^google\/lyria/ };
// Models whose whole history prices_more.tsv has.
const BY_HAND = { cerebras: /^qwen-3-coder-480b$/, deepseek: /^deepseek-(chat|reasoner|v4-flash|v4-pro)$/ };
for (const provider of providers) {
  const sold = provider.models.filter((m) => !NOT_SOLD[provider.id]?.test(m.id) && !BY_HAND[provider.id]?.test(m.id));
  const lines = sold.flatMap((m) => modelLines(provider.id, m));
  if (lines.length) priceLines.push(`@provider\t${provider.id}`, ...lines);
}

// --- what providers report: each distinct shape of a usage object once

const shapes = new Map();
function pathText(path) {
  return [path].flat().map((step) => typeof step === "string" ? step : `${step.field}=${step.match.equals}`).join(".");
}
function shapeOf(provider, extractor) {
  const lines = extractor.mappings.map((m) => [pathText(m.path), unitOfUsage(m.dest), m.required ? "required" : "-"])
    .filter(([, unit]) => unit);
  const text = [`root\t${pathText(extractor.root)}`, `model\t${pathText(extractor.model_path)}`,
    ...lines.map((l) => l.join("\t"))].join("\n");
  if (!shapes.has(text)) shapes.set(text, `${provider.id}.${extractor.api_flavor}`);
  return `${extractor.api_flavor}=${shapes.get(text)}`;
}

// Makers and sellers that the package has not: id, further words for them, the names of models that they alone sell, price
// page. Known without prices, a model is never priced at somebody who resells it under its maker's name. Weights that many
// run ("…-32b") are no maker's. Alibaba's prices and some others' are in prices_more.tsv.
const SIZED = "!*[0-9]b !*[0-9]b-*";
const QWEN = `qwen-* qwen[0-9]* qwq-* qvq-* ${SIZED} !qwen-2* !qwen1.5* !qwen2-* !qwen2.5-[0-9]* !qwen3-coder-next !*:free`;
const MORE_PROVIDERS = [
  // Two shops: the one in China has prices of its own, in yuan.
  ["alibaba-cn", "alibaba*cn alibaba*china alibaba*beijing aliyun* bailian* dashscope-cn", QWEN,
    "https://help.aliyun.com/zh/model-studio/model-pricing"],
  ["alibaba", "alibaba* dashscope* qianwen* tongyi* modelstudio model*studio", QWEN,
    "https://www.alibabacloud.com/help/en/model-studio/model-pricing"],
  ["xiaomi", "xiaomi* mimo", "mimo-*", "https://platform.xiaomimimo.com/#/docs/pricing"],
  ["tencent", "tencent* hunyuan", `hunyuan-* hy[0-9]* ${SIZED}`, "https://cloud.tencent.com/document/product/1729/97731"],
  ["bytedance", "bytedance* *volcengine* volcano* byteplus* doubao ark *modelark*", "doubao-* seed-[0-9]* seedream-* dola-*",
    "https://docs.byteplus.com/en/docs/ModelArk/1544106"],
  ["baidu", "baidu* qianfan* wenxin* ernie", `ernie-* ${SIZED}`, "https://cloud.baidu.com/doc/qianfan/s/wmh4sv6ya"],
  ["meta", "meta meta-ai meta_ai meta-llama-api meta_llama", "muse-*", "https://dev.meta.ai/docs/pricing"],
  ["nvidia", "nvidia nvidia-* nvidia_*", "nemotron-*", "https://build.nvidia.com/models"],
  ["stepfun", "stepfun*", "step-[0-9]*", "https://platform.stepfun.ai/docs/en/pricing/details"],
  ["upstage", "upstage*", "solar-*", "https://www.upstage.ai/pricing"],
  ["ai21", "ai21*", "jamba-* j2-*", "https://www.ai21.com/pricing"],
  ["reka", "reka*", "reka-*", "https://www.reka.ai/reka-api"],
  ["inception", "inception*", "mercury mercury-*", "https://docs.inceptionlabs.ai/get-started/models"],
  ["writer", "writer", "palmyra-*", "https://writer.com/pricing/"],
  ["inflection", "inflection*", "inflection-*", "https://developers.inflection.ai/docs"],
  ["sakana", "sakana*", "fugu fugu-*", "https://sakana.ai"],
  ["morph", "morph*", "morph-v*", "https://morphllm.com/pricing"],
  ["relace", "relace*", "relace-*", "https://www.relace.ai/pricing"],
  ["jina", "jina*", "jina-*", "https://jina.ai/api-dashboard"],
  ["liquid", "liquid*", "", "https://docs.liquid.ai"],
  ["baichuan", "baichuan*", "baichuan[0-9]*-turbo*", "https://platform.baichuan-ai.com/price"],
  ["sensenova", "sensenova* sensetime*", "sensenova-* sensechat-*", "https://www.sensenova.cn"],
  ["iflytek", "iflytek* spark xfyun*", "", "https://xinghuo.xfyun.cn/sparkapi"],
  ["ibm", "ibm* *watsonx*", "", "https://www.ibm.com/products/watsonx-ai/pricing"],
  ["databricks", "databricks*", "databricks-*", "https://www.databricks.com/product/pricing/foundation-model-serving"],
  ["snowflake", "snowflake* *cortex*", "snowflake-*", "https://www.snowflake.com/legal-files/CreditConsumptionTable.pdf"],
  ...["aimlapi", "anyscale", "atlascloud", "chutes", "clarifai", "cometapi", "crusoe", "deepinfra", "digitalocean", "embercloud", "featherless",
    "friendli", "gmi", "heroku", "hyperbolic", "inference-net", "infermatic", "inceptron", "kilo", "kluster", "lambda", "lepton", "mancer",
    "modelscope", "nanogpt", "nebius", "nscale", "opencode", "oracle", "parasail", "phala", "poe", "ppio",
    "publicai", "replicate", "requesty", "runpod",
    "runware", "sambanova", "scaleway", "siliconflow", "synthetic", "targon", "venice", "vercel", "wandb", "zenmux"].map((id) => [id, `${id}*`, "", ""]),
  ["huggingface", "huggingface hugging-face hugging_face hf", "", "https://huggingface.co/docs/inference-providers/pricing"],
  ["yandex", "yandex*", "yandexgpt*", "https://yandex.cloud/en/docs/ai-studio/pricing"],
  ["naver", "naver* hyperclova*", "hcx-*", "https://www.ncloud.com/product/aiService/clovaStudio"],
  ["sarvam", "sarvam*", "sarvam-*", "https://docs.sarvam.ai/api-reference-docs/pricing"],
  ["github", "github github-models github_models", "", "https://docs.github.com/en/billing/concepts/product-billing/github-models"],
];
const MORE_WORDS = { deepinfra: "deep-infra* deep_infra*", "inference-net": "inference.net* inference_net*", lambda: "lambda_ai*",
  nanogpt: "nano-gpt* nano_gpt*", vercel: "ai-gateway ai_gateway", oracle: "oci oci-* oci_*", siliconflow: "silicon-flow* silicon_flow*",
  wandb: "weights-and-biases", sambanova: "samba-nova*", gmi: "gmicloud*" };

// What the package does not say: further words for a provider, and names that are one provider's own. A
// self-hosted server is a provider without prices: its models are not somebody else's of the same name.
const MORE_NAMES = { azure: ["azure*"], fireworks: ["fireworks*"], "x-ai": ["xai*", "x_ai", "grok"], anthropic: ["claude"], google: ["aistudio", "ai-studio"],
  cloudflare: ["workers-ai", "workers_ai"], aws: ["mantle"], mistral: ["codestral"], openrouter: ["*openrouter*"],
  zai: ["z-ai*", "z.ai*", "z_ai*"], zhipuai: ["zhipu*", "*bigmodel*", "chatglm*", "glm"], moonshotai: ["kimi", "kimi-*"],
  minimax: ["minimax*"], perplexity: ["perplexity*", "pplx*"], novita: ["novita*"], together: ["together*"], groq: ["groq-*"],
  avian: ["avian-*"], ovhcloud: ["ovh*"], deepseek: ["deepseek-api"] };
// Azure sells DeepSeek's and Moonshot's models at prices of its own.
const RESELLS = { azure: ["openai", "anthropic", "x-ai"] };
const MORE_APIS = { voyageai: ["embeddings=voyageai.embeddings"], anthropic: ["ai-sdk=ai-sdk.beside"],
  aws: ["ai-sdk=ai-sdk.beside"] };
const MORE_MODELS = {
  aws: ["*anthropic.claude-*", "amazon.*", "*.amazon.*", "*meta.llama*", "mistral.*", "cohere.command*", "cohere.embed*",
    "ai21.*", "writer.*", "google.gemma*", "nvidia.nemotron*", "deepseek.*", "qwen.*", "openai.gpt-*", "*.openai.gpt-*", "*.deepseek.*", "*.mistral.*"],
  openai: ["ft:*", "text-embedding-3*", "text-embedding-ada*", "chatgpt-*", "codex-*", "davinci*", "babbage*", "curie", "ada",
    "text-davinci-*", "text-curie-*", "text-babbage-*", "text-ada-*", "computer-use*", "omni-moderation*", "text-moderation*",
    "!gpt-oss*"],
  deepseek: ["!*distill*"],
  cohere: ["embed-*", "c4ai-*", "command", "rerank-*"],
  // Two shops of one maker have the same names; only Groq ends names of others' models like this.
  zai: ["glm-*"], groq: ["*-versatile", "*-instant"], perplexity: ["sonar*", "*-sonar-*-online"], arcee: ["trinity-*"],
};
const SELF_HOSTED = ["self-hosted", "*ollama* *vllm* *llama*server* llama.cpp llamacpp llamafile lm*studio* local local*"
  + " *-local *localhost* *sglang* tgi *self*host* openai?like openai?compatible* custom_openai nvidia_nim xinference",
  "-", "-", "-", "-"].join("\t");
// Who resells others' models has their names in his words ("vertex_ai-anthropic_models"): asked first. So are they whose
// model names hold others'.
const FIRST = ["aws", "azure", "google", "openrouter"];
const rank = (p) => FIRST.includes(p.id) ? FIRST.indexOf(p.id) : FIRST.length;

const providerLines = [...head, "# id\tnames\tmodels\tfallback\tapis (name=shape of usage.tsv)\tprice page", SELF_HOSTED];
for (const p of [...providers].sort((a, b) => rank(a) - rank(b))) {
  const apis = [...(p.extractors ?? []).map((e) => shapeOf(p, e)), ...MORE_APIS[p.id] ?? []];
  const also = p.provider_match?.and ? ["*" + p.provider_match.and.map((m) => m.contains).join("*") + "*"]
    : globs(p.provider_match);
  providerLines.push([p.id, words([p.id, ...also, ...MORE_NAMES[p.id] ?? []]),
    words([...globs(p.model_match), ...MORE_MODELS[p.id] ?? []]),
    words(RESELLS[p.id] ?? p.fallback_model_providers ?? []), words(apis), p.pricing_urls?.[0] ?? "-"].join("\t"));
}
for (const [id, names, models, page] of MORE_PROVIDERS) { // all speak OpenAI's form
  providerLines.push([id, words([id, ...names.split(" "), ...MORE_WORDS[id]?.split(" ") ?? []]), models || "-", "-",
    "chat=azure.chat", page || "-"].join("\t"));
}
const usageLines = [...head, "# @shape name, then root and model: paths; then path, unit, required or -"];
for (const [text, name] of shapes) usageLines.push(`@shape\t${name}`, text);

for (const [file, lines] of [["prices", priceLines], ["providers", providerLines], ["usage", usageLines]]) {
  writeFileSync(join(here, file + ".tsv"), lines.join("\n") + "\n");
}
const models = providers.reduce((n, p) => n + p.models.length, 0);
console.error(`${providers.length} providers, ${models} models, ${priceLines.length} lines, ${shapes.size} shapes`);
console.error("left out:", leftOut);
