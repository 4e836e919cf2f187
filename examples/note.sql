-- Every figure of the technical note "LLM cost optimization", computed: at the note's own prices (a price list that this file
-- imports and drops again) and at the catalogue's. It asks no model, costs nothing and needs no ledger.
--
--   sqlite3 desk.db -cmd '.load ./llmcost' < examples/note.sql
--
-- One table a part. "off" is empty where the note's figure is the computed one as the note rounds it; else it says how far off the
-- result of the note's own inputs is, and "remark" why. Other cells are empty where the note gives no figure, or a list no price.
-- What the note states and what it assumes stands here as input, results are computed.
.bail on
.output /dev/null
SELECT llm_init();
SELECT llm_prices_import('examples/note_prices.json', '{"list":"note"}');
.output stdout
.headers on
.mode box --wrap 0

-- The lists, as options of llm_price, llm_cost and the tables.
CREATE TEMP TABLE prices AS SELECT '{"list":"note"}' AS note, '{"list":"catalogue"}' AS today;

-- A request whose thousand cost the note's $25.00 at GPT-4o: a prompt of the "3,000+ tokens" that it complains of, and the answer
-- that is left for the rest. The short one has the compressed prompt.
CREATE TEMP TABLE request AS SELECT 3000 AS input, 1750 AS output, 1847 AS long_prompt, 612 AS short_prompt;

-- What each part puts in: digits is how far the note rounds (NULL: it gives no figure of its own to compare).
CREATE TEMP TABLE figures(part TEXT, what TEXT, note REAL, digits INTEGER, at_note REAL, at_today REAL, remark TEXT DEFAULT '');
CREATE TEMP VIEW shown AS
  SELECT part, what, note, round(at_note, 4) AS at_note_prices, round(at_today, 4) AS at_todays_prices,
         CASE WHEN note IS NULL OR at_note IS NULL OR digits IS NULL OR round(at_note, digits) = note THEN ''
              WHEN note = 0 THEN printf('%+.6g', at_note)
              ELSE printf('%+.1f %%', 100 * (at_note / note - 1)) END AS off,
         remark
  FROM figures;

.print
.print 1. The cost problem: growth, retries, prompts
-- What the users explain of a rise and what each user's spending does, without a rest (logarithmic mean Divisia index). The
-- logarithm by its series, because not every program's SQLite has one.
CREATE TEMP TABLE weeks(week INTEGER, spend REAL, users REAL);
INSERT INTO weeks VALUES (1, 200, 50), (3, 800, 200), (5, 1500, 400), (7, 2400, 500);
CREATE TEMP TABLE spans AS
  SELECT a.week AS week, b.week AS to_week, a.spend AS spend, b.spend AS to_spend, b.users / a.users AS users_grow,
         (b.spend / b.users) / (a.spend / a.users) AS each_grows
  FROM weeks a JOIN weeks b ON b.week IN (a.week + 2, a.week + 6);
CREATE TEMP TABLE logs AS
  WITH RECURSIVE x(x) AS (SELECT users_grow FROM spans UNION SELECT each_grows FROM spans),
    terms(x, z, power, k, sum) AS (
      SELECT x, (x - 1) / (x + 1), (x - 1) / (x + 1), 1, 0.0 FROM x
      UNION ALL SELECT x, z, power * z * z, k + 2, sum + 2 * power / k FROM terms WHERE k < 400)
  SELECT x, sum AS ln FROM terms WHERE k = 401;
CREATE TEMP TABLE drift AS
  SELECT s.*, (to_spend - spend) / (u.ln + e.ln) * u.ln AS by_users, (to_spend - spend) / (u.ln + e.ln) * e.ln AS by_each
  FROM spans s JOIN logs u ON u.x = s.users_grow JOIN logs e ON e.x = s.each_grows;

INSERT INTO figures(part, what, note, digits, at_note, remark)
  SELECT '1', 'prototype to production: $200 to $2,000 a day, times', 10, 0, 2000.0 / 200, 'the "order of magnitude"';
INSERT INTO figures(part, what, note, digits, at_note, remark)
  SELECT '1', printf('$200 a day if each request becomes %d calls', column1), NULL, NULL, s.after_usd,
      'signed: a step that costs more'
  FROM (VALUES (2), (5)) v, llm_stack(200, json_array(json_object('keeps', v.column1))) s WHERE s.step = 1;
INSERT INTO figures(part, what, note, digits, at_note, at_today, remark)
  SELECT '1', 'a 3,000-token prompt, 50,000 requests a day, GPT-4o, $ a day', NULL, NULL, 50000 * llm_cost('gpt-4o', input, 0,
      note),
         50000 * llm_cost('gpt-4o', input, 0, today), 'what over-prompting costs before a word is answered'
  FROM request, prices;
INSERT INTO figures(part, what, note, digits, at_note, remark)
  SELECT '1', printf('week %d: $ a day for each user', week), NULL, NULL, spend / users,
         CASE week WHEN 3 THEN 'as in week 1: "history starts to dominate" does not show'
                   WHEN 5 THEN 'less than before, though "retry loops multiply calls"'
                   WHEN 7 THEN 'the only week in which a user costs more than at first' ELSE '' END
  FROM weeks;
INSERT INTO figures(part, what, note, digits, at_note, remark)
  SELECT '1', printf('week %d to %d: $ a day more by users', week, to_week), NULL, NULL, by_users, '' FROM drift
  UNION ALL
  SELECT '1', printf('week %d to %d: $ a day more by each user', week, to_week), NULL, NULL, by_each, '' FROM drift ORDER BY 2;
INSERT INTO figures(part, what, note, digits, at_note, remark)
  SELECT '1', 'week 1 to 7: times', 12, 0, to_spend / spend, '$200 to $2,400' FROM drift WHERE to_week - week = 6
  UNION ALL
  SELECT '1', 'week 1 to 7: % of the rise that users explain', NULL, NULL, 100 * by_users / (by_users + by_each),
         'length, retries, prompts and models: the rest' FROM drift WHERE to_week - week = 6;
INSERT INTO figures(part, what, note, digits, at_note, remark)
  SELECT '1', 'week 7 after routing, caching, compression: $ a day', 320, 0, after_usd,
         'its own factors .7 x .3 x .6 give less'
  FROM llm_stack(2400, '[{"name":"prompts","keeps":0.7},{"name":"routing","keeps":0.3},{"name":"caching","keeps":0.6}]') WHERE step = 3
  UNION ALL
  SELECT '1', 'and with batches: $ a day', NULL, NULL, after_usd, 'which the $320 does not count'
  FROM llm_stack(2400, '[{"keeps":0.7},{"keeps":0.3},{"keeps":0.6},{"saves":0.5,"share":0.4}]') WHERE step = 4
  UNION ALL
  SELECT '1', '$2,400 to $320: % saved', NULL, NULL, 100 * total_saved_share, ''
  FROM llm_stack(2400, json_array(json_object('keeps', 320.0 / 2400))) WHERE step = 1;
SELECT what, note, at_note_prices, at_todays_prices, off, remark FROM shown WHERE part = '1';

.print
.print 2. Prices: dollars per million tokens
-- Llama is self-hosted in the note; what somebody asks for serving it is today's price.
CREATE TEMP TABLE models(what TEXT, model TEXT, seller TEXT, today_model TEXT, today_seller TEXT, input REAL, output REAL,
    context INTEGER);
INSERT INTO models VALUES
  ('GPT-4o', 'gpt-4o', 'openai', 'gpt-4o', 'openai', 2.50, 10.00, 128000),
  ('GPT-4o mini', 'gpt-4o-mini', 'openai', 'gpt-4o-mini', 'openai', 0.15, 0.60, 128000),
  ('Claude Sonnet 4.6', 'claude-sonnet-4-6', 'anthropic', 'claude-sonnet-4-6', 'anthropic', 3.00, 15.00, 200000),
  ('Claude Haiku 4.5', 'claude-haiku-4-5', 'anthropic', 'claude-haiku-4-5', 'anthropic', 0.80, 4.00, 200000),
  ('Mistral Large 3', 'mistral-large-2512', 'mistral', 'mistral-large-2512', 'mistral', 2.00, 6.00, 128000),
  ('Llama 4 Maverick', 'llama-4-maverick', 'self-hosted', 'meta-llama/llama-4-maverick-17b-128e-instruct', 'groq', 0.30, 0.30,
      1000000);
INSERT INTO figures(part, what, note, digits, at_note, at_today, remark)
  SELECT '2', m.what || ', ' || k.kind, CASE k.kind WHEN 'input' THEN m.input ELSE m.output END, 2,
         llm_price(m.model, k.kind, json_object('list', 'note', 'provider', m.seller)),
         llm_price(m.today_model, k.kind, json_object('list', 'catalogue', 'provider', m.today_seller)),
         CASE m.model WHEN 'claude-haiku-4-5' THEN 'the note has Haiku 3.5''s price'
             WHEN 'mistral-large-2512' THEN 'the note has its predecessor''s price'
                      WHEN 'llama-4-maverick' THEN 'the note: GPU cost alone; today: served by Groq' ELSE '' END
  FROM models m, (SELECT 'input' AS kind UNION ALL SELECT 'output') k;
INSERT INTO figures(part, what, note, digits, at_note, at_today, remark)
  SELECT '2', m.what || ', context', m.context, NULL, NULL, c.context_window, 'tokens; of llm_models'
  FROM models m LEFT JOIN llm_models c ON c.name = m.today_model;
INSERT INTO figures(part, what, note, digits, at_note, at_today, remark)
  SELECT '2', 'GPT-4o to GPT-4o mini, input, times', 17, 0,
         llm_price('gpt-4o', 'input', note) / llm_price('gpt-4o-mini', 'input', note),
         llm_price('gpt-4o', 'input', today) / llm_price('gpt-4o-mini', 'input', today), 'the "17x" is rounded' FROM prices
  UNION ALL
  SELECT '2', 'GPT-4o to GPT-4o mini, output, times', NULL, NULL,
         llm_price('gpt-4o', 'output', note) / llm_price('gpt-4o-mini', 'output', note),
         llm_price('gpt-4o', 'output', today) / llm_price('gpt-4o-mini', 'output', today),
             'the same: the ratio does not depend on the request' FROM prices;
SELECT what, note, at_note_prices, at_todays_prices, off, remark FROM shown WHERE part = '2';

.print
.print 3. Routing: tiers, and 72 / 20 / 8 % of the traffic
-- The tiers are those of llm_tiers; what they cost is told against GPT-4o for everything.
CREATE TEMP TABLE mix AS
  SELECT t.name, t.model, t.max_score, s.column2 AS share, s.column3 AS most_score, s.column4 AS input
  FROM llm_tiers t JOIN (VALUES (1, 0.72, 0.3, 0.15), (2, 0.20, 0.7, 0.80), (3, 0.08, NULL, 2.50)) s ON s.column1 = t.rank;
CREATE TEMP TABLE kept AS -- the share of the cost that is left, by what is counted
  SELECT w.what,
         (SELECT sum(share * llm_cost(model, w.input, w.output, note)) FROM mix)
             / llm_cost('gpt-4o', w.input, w.output, note) AS at_note,
         (SELECT sum(share * llm_cost(model, w.input, w.output, today)) FROM mix)
             / llm_cost('gpt-4o', w.input, w.output, today) AS at_today
  FROM prices, (SELECT 'input alone' AS what, 1000 AS input, 0 AS output UNION ALL SELECT 'output alone', 0, 1000
                UNION ALL SELECT 'the $25 request', input, output FROM request) w;
INSERT INTO figures(part, what, note, digits, at_note, at_today, remark)
  SELECT '3', name || ': input price of ' || model, input, 2, llm_price(model, 'input', note), llm_price(model, 'input', today), ''
      FROM mix, prices;
INSERT INTO figures(part, what, note, digits, at_note, remark)
  SELECT '3', name || ': score below', most_score, 2, max_score, 'of llm_tiers' FROM mix WHERE most_score IS NOT NULL;
INSERT INTO figures(part, what, note, digits, at_note, at_today, remark)
  SELECT '3', printf('%d %% of the traffic to the small model: %% saved', column1), NULL, NULL, 100 * n.total_saved_share,
      100 * t.total_saved_share,
         'the "70-80 % simple" of the note, by itself'
  FROM prices, (VALUES (70), (80)) v,
       llm_stack(1, json_array(json_object('share', v.column1 / 100.0, 'keeps', llm_price('gpt-4o-mini', 'input', note)
           / llm_price('gpt-4o', 'input', note)))) n,
       llm_stack(1, json_array(json_object('share', v.column1 / 100.0, 'keeps', llm_price('gpt-4o-mini', 'input', today)
           / llm_price('gpt-4o', 'input', today)))) t
  WHERE n.step = 1 AND t.step = 1;
INSERT INTO figures(part, what, note, digits, at_note, remark)
  SELECT '3', '$38,000 to $6,200: % saved', 84, 0, 100 * total_saved_share, 'of its two figures, rounded'
  FROM llm_stack(38000, json_array(json_object('keeps', 6200.0 / 38000))) WHERE step = 1;
INSERT INTO figures(part, what, note, digits, at_note, at_today, remark)
  SELECT '3', 'the mix, ' || what || ': $38,000 a month becomes', 6200, 0, 38000 * at_note, 38000 * at_today,
         CASE WHEN 38000 * at_note > 6200 THEN 'these shares at these prices leave more than $6,200' ELSE '' END FROM kept
  UNION ALL
  SELECT '3', 'the mix, ' || what || ': % saved', 84, 0, 100 * (1 - k.at_note), 100 * (1 - k.at_today),
         CASE what WHEN 'input alone' THEN 'the most that this mix can save'
             ELSE printf('Haiku''s output costs %.0f %% of GPT-4o''s, its input %.0f %%', 100 * llm_price('claude-haiku-4-5',
             'output', note) / llm_price('gpt-4o', 'output', note),
                     100 * llm_price('claude-haiku-4-5', 'input', note) / llm_price('gpt-4o', 'input', note)) END FROM kept k,
                         prices;
INSERT INTO figures(part, what, note, digits, at_note, at_today, remark)
  SELECT '3', 'what all but the large model''s share saves at most: %', NULL, NULL, 100 * (1 - share), 100 * (1 - share),
         'if the two small ones were free: $6,200 asks for ' || CAST(round(100 * (1 - 6200.0 / 38000), 1) AS TEXT) || ' %'
             FROM mix WHERE model = 'gpt-4o';
SELECT what, note, at_note_prices, at_todays_prices, off, remark FROM shown WHERE part = '3';

.print
.print 4. Caching: what is left of $10,000 at a hit rate
INSERT INTO figures(part, what, note, digits, at_note, at_today, remark)
  SELECT '4', printf('%s, %d %% hits: $', v.column1, v.column2), NULL, NULL, s.after_usd, s.after_usd, v.column3
  FROM (VALUES ('exact match', 10, ''), ('exact match', 20, ''), ('semantic', 30, ''), ('semantic', 50,
      'the note''s last table says up to 60 %'),
               ('prompt-aware', 40, ''), ('prompt-aware', 60, '')) v,
       llm_stack(10000, json_array(json_object('saves', v.column2 / 100.0))) s WHERE s.step = 1;
INSERT INTO figures(part, what, note, digits, at_note, at_today, remark)
  SELECT '4', 'prefix caching, ' || what || ': % saved on what is read', NULL, NULL, NULL,
         100 * (1 - llm_price(today_model, 'cache_read', json_object('list', 'catalogue', 'provider', today_seller))
             / llm_price(today_model, 'input', json_object('list', 'catalogue', 'provider', today_seller))),
         'the note has no price of it' FROM models WHERE model IN ('gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4-6',
             'claude-haiku-4-5');
INSERT INTO figures(part, what, note, digits, at_note, remark)
  SELECT '4', 'cosine of the note''s two questions (its threshold: 0.95)', 0.95, NULL,
      embed_cosine(embed('What is your return policy?'), embed('How do I return an item?')),
         'by embed(): a threshold belongs to its embedder';
SELECT what, note, at_note_prices, at_todays_prices, off, remark FROM shown WHERE part = '4';

.print
.print 5. Prompts: fewer tokens, and what they come to of the $25 request
INSERT INTO figures(part, what, note, digits, at_note, at_today, remark)
  SELECT '5', '1,847 to 612 tokens: % fewer', NULL, NULL, 100.0 * (long_prompt - short_prompt) / long_prompt, NULL,
      'more than the "20-40 %" of its own list' FROM request
  UNION ALL
  SELECT '5', '1,847 to 612 tokens, 50,000 requests a day, GPT-4o: $ a day', 190, 0,
         50000 * (llm_cost('gpt-4o', long_prompt, 0, note) - llm_cost('gpt-4o', short_prompt, 0, note)),
         50000 * (llm_cost('gpt-4o', long_prompt, 0, today) - llm_cost('gpt-4o', short_prompt, 0, today)),
             'the note''s own inputs give less' FROM request, prices
  UNION ALL
  SELECT '5', 'the same: $ in 30 days', 5700, 0,
         30 * 50000 * (llm_cost('gpt-4o', long_prompt, 0, note) - llm_cost('gpt-4o', short_prompt, 0, note)),
         30 * 50000 * (llm_cost('gpt-4o', long_prompt, 0, today) - llm_cost('gpt-4o', short_prompt, 0, today)),
             '30 x its $190, with the same fault' FROM request, prices
  UNION ALL
  SELECT '5', 'requests a day that would save $190', 50000, 0, 190 / (llm_cost('gpt-4o', long_prompt, 0, note) - llm_cost('gpt-4o',
      short_prompt, 0, note)),
         190 / (llm_cost('gpt-4o', long_prompt, 0, today) - llm_cost('gpt-4o', short_prompt, 0, today)), '' FROM request, prices
  UNION ALL
  SELECT '5', 'the same at Claude Sonnet 4.6: $ a day', 190, 0,
         50000 * (llm_cost('claude-sonnet-4-6', long_prompt, 0, note) - llm_cost('claude-sonnet-4-6', short_prompt, 0, note)),
         50000 * (llm_cost('claude-sonnet-4-6', long_prompt, 0, today) - llm_cost('claude-sonnet-4-6', short_prompt, 0, today)),
             'nearer: the $190 may have had another model' FROM request, prices;
INSERT INTO figures(part, what, note, digits, at_note, at_today, remark)
  WITH sides AS ( -- the share of a request's cost that is its input, and its output
    SELECT llm_cost('gpt-4o', input, 0, note) / llm_cost('gpt-4o', input, output, note) AS input,
           llm_cost('gpt-4o', input, 0, today) / llm_cost('gpt-4o', input, output, today) AS today_input FROM request, prices)
  SELECT '5', printf('%s, %d %% fewer %s tokens: %% of the bill', v.column1, v.column2, v.column3), v.column4, 1,
      100 * n.total_saved_share, 100 * t.total_saved_share,
         v.column5
  FROM sides, (VALUES ('dead weight', 30, 'input', NULL, ''), ('dead weight', 50, 'input', NULL, ''),
                      ('system prompt', 20, 'input', 20, 'its last table takes tokens of the prompt for the bill'),
                      ('system prompt', 40, 'input', 40, 'the same'),
                      ('zero-shot', 50, 'input', NULL, ''), ('zero-shot', 80, 'input', NULL, ''),
                      ('structured output', 30, 'output', NULL, ''), ('structured output', 50, 'output', NULL, ''),
                      ('pruning', 40, 'input', NULL, ''), ('pruning', 70, 'input', NULL, ''),
                      ('response length', 20, 'output', NULL, ''), ('response length', 60, 'output', NULL, '')) v,
       llm_stack(1, json_array(json_object('saves', v.column2 / 100.0, 'share', CASE v.column3 WHEN 'input' THEN sides.input
           ELSE 1 - sides.input END))) n,
       llm_stack(1, json_array(json_object('saves', v.column2 / 100.0, 'share', CASE v.column3 WHEN 'input' THEN sides.today_input
           ELSE 1 - sides.today_input END))) t
  WHERE n.step = 1 AND t.step = 1;
SELECT what, note, at_note_prices, at_todays_prices, off, remark FROM shown WHERE part = '5';

.print
.print 6. Batches: % saved
INSERT INTO figures(part, what, note, digits, at_note, at_today, remark)
  SELECT '6', what, 50, 0, NULL,
         100 * (1 - llm_cost(m.today_model, r.input, r.output, json_object('list', 'catalogue', 'provider', m.today_seller,
             'service', 'batch'))
                    / llm_cost(m.today_model, r.input, r.output, json_object('list', 'catalogue', 'provider', m.today_seller))),
         CASE m.today_seller WHEN 'groq' THEN 'by Groq; the note has no batch prices' ELSE 'the note has no batch prices' END
  FROM models m, request r;
SELECT what, note, at_note_prices, at_todays_prices, off, remark FROM shown WHERE part = '6';

.print
.print 7. Fine-tuning: $ of 1,000 calls, and calls until it has paid back
-- Today's tuned models have the short prompt, the same answers, and the catalogue's price (Scout: Groq's for the untuned one).
CREATE TEMP TABLE tuned AS
  SELECT c.column1 AS what, c.column2 AS note, c.column3 AS quality, c.column4 AS setup_low, c.column5 AS setup_high,
         CASE c.column6 WHEN 'plain' THEN 1000 * llm_cost(c.column7, input, output, p.note) END AS at_note,
         CASE c.column6 WHEN 'plain' THEN 1000 * llm_cost(c.column7, input, output, p.today)
                        ELSE 1000 * llm_cost(c.column7, short_prompt, output, CASE c.column6 WHEN 'tuned' THEN p.today
                            ELSE json_set(p.today, '$.provider', c.column6) END) END AS at_today,
         CASE c.column6 WHEN 'tuned' THEN printf('today its answers alone cost $%.2f', 1000 * llm_cost(c.column7, 0, output,
             p.today)) ELSE c.column8 END AS remark
  FROM request, prices p, (VALUES
    ('GPT-4o + detailed prompt', 25.00, 0.95, 0, 0, 'plain', 'gpt-4o', 'the request is made to cost that'),
    ('GPT-4o mini + few-shot', 1.50, 0.88, 0, 0, 'plain', 'gpt-4o-mini', 'the same request: its price is 6 % on both sides'),
    ('GPT-4o mini fine-tuned', 0.90, 0.93, 50, 200, 'tuned', 'ft:gpt-4o-mini', ''),
    ('Llama 4 Scout fine-tuned', 0.10, 0.90, 500, 2000, 'groq', 'meta-llama/llama-4-scout-17b-16e-instruct',
        'the note''s is GPU cost alone')) c;
INSERT INTO figures(part, what, note, digits, at_note, at_today, remark)
  SELECT '7', what || ': $ of 1,000 calls', note, 2, at_note, at_today, remark FROM tuned
  UNION ALL
  SELECT '7', what || ': $ of 1,000 right answers', NULL, NULL, note / quality, at_today / quality, 'by its quality' FROM tuned;
INSERT INTO figures(part, what, note, digits, at_note, at_today, remark)
  SELECT '7', t.what || printf(', $%d, against ', e.setup) || n.what || ': calls', NULL, NULL,
         (SELECT calls_high FROM llm_finetune(json_object('usd_per_1k_now', n.note, 'usd_per_1k_tuned', t.note, 'setup_usd',
             e.setup, 'requests_per_month', 100000))),
         (SELECT calls_high FROM llm_finetune(json_object('usd_per_1k_now', n.at_today, 'usd_per_1k_tuned', t.at_today, 'setup_usd',
             e.setup, 'requests_per_month', 100000))),
         CASE WHEN t.at_today >= n.at_today THEN 'today never: a tuned call costs more' ELSE '' END
  FROM tuned n, tuned t, (SELECT 0 AS high UNION ALL SELECT 1) h,
       (SELECT what, setup_low AS setup, 0 AS high FROM tuned UNION ALL SELECT what, setup_high, 1 FROM tuned) e
  WHERE n.setup_low = 0 AND t.setup_low > 0 AND e.what = t.what AND e.high = h.high;
INSERT INTO figures(part, what, note, digits, at_note, at_today, remark)
  SELECT '7', t.what || ' against ' || n.what || ': % saved', NULL, NULL, 100 * (1 - t.note / n.note), 100 * (1 - t.at_today
      / n.at_today),
         CASE WHEN 100 * (1 - t.note / n.note) BETWEEN 70 AND 90 THEN ''
             ELSE 'not within the "70-90 %" of the note''s last table' END
  FROM tuned n, tuned t WHERE n.setup_low = 0 AND t.setup_low > 0;
INSERT INTO figures(part, what, note, digits, at_note, remark)
  SELECT '7', 'good examples that are enough', 500, 0, min(e.column1), 'the fewest that llm_finetune lets pass'
  FROM (VALUES (498), (499), (500), (501)) e,
       llm_finetune(json_object('usd_per_1k_now', 25, 'usd_per_1k_tuned', 0.9, 'setup_usd', 200, 'requests_per_month', 100000,
           'stable', json('true'), 'examples', e.column1)) f
  WHERE f.verdict = 'yes';
SELECT what, note, at_note_prices, at_todays_prices, off, remark FROM shown WHERE part = '7';

.print
.print 8. Self-hosting: $ a month before operations, and requests a month at which it breaks even
-- An A100 is taken to serve 4 million requests a month (the note's $2,000 at 1M and $6,000 at 10M ask for 3.4 to 5 million), an H100
-- 10 million.
CREATE TEMP TABLE hosted AS
  SELECT v.column1 AS requests, l.list, s.*
  FROM (VALUES (100000), (1000000), (10000000)) v, (SELECT 'note' AS list UNION ALL SELECT 'catalogue') l, request r,
       llm_selfhost(json_object('list', l.list, 'model', 'gpt-4o', 'input_tokens', r.input, 'output_tokens', r.output,
           'requests_per_month', v.column1,
         'serverless', CASE l.list WHEN 'note' THEN json_object('model', 'llama-4-maverick', 'provider', 'self-hosted')
                                   ELSE json_object('model', 'meta-llama/llama-4-maverick-17b-128e-instruct', 'provider',
                                       'groq') END,
         'hosting', json('[{"name":"A100","usd_per_month":2000,"requests_per_month_each":4000000},
                           {"name":"H100","usd_per_month":4500,"requests_per_month_each":10000000}]'))) s;
CREATE TEMP TABLE stated(kind TEXT, name TEXT, requests INTEGER, usd REAL, remark TEXT);
INSERT INTO stated VALUES
  ('api', 'gpt-4o', 100000, 2500, ''), ('api', 'gpt-4o', 1000000, 25000, ''), ('api', 'gpt-4o', 10000000, 250000, ''),
  ('hosted', 'A100', 100000, 2000, ''), ('hosted', 'A100', 1000000, 2000, ''), ('hosted', 'A100', 10000000, 6000, 'three of them'),
  ('hosted', 'H100', 100000, 4500, ''), ('hosted', 'H100', 1000000, 4500, ''), ('hosted', 'H100', 10000000, 4500, ''),
  ('serverless', NULL, 100000, NULL, 'an open model: the note''s $0.30 a million; today served by Groq'), ('serverless', NULL,
      1000000, NULL, ''),
  ('serverless', NULL, 10000000, NULL, '');
INSERT INTO figures(part, what, note, digits, at_note, at_today, remark)
  SELECT '8', printf('%s, %dK requests: $', coalesce(t.name, 'Llama 4 Maverick'), t.requests / 1000), t.usd, 0,
         max(CASE h.list WHEN 'note' THEN h.cost_usd END), max(CASE h.list WHEN 'catalogue' THEN h.cost_usd END), t.remark
  FROM stated t JOIN hosted h ON h.requests = t.requests AND h.kind = t.kind AND coalesce(h."option" = t.name, 1)
  GROUP BY t.rowid;
INSERT INTO figures(part, what, note, digits, at_note, at_today, remark)
  SELECT '8', h."option" || ': requests a month at which it breaks even', NULL, NULL, h.break_even_requests, t.break_even_requests,
      'before operations'
  FROM hosted h JOIN hosted t ON t.list = 'catalogue' AND t.requests = h.requests AND t."option" = h."option"
  WHERE h.list = 'note' AND h.kind = 'hosted' AND h.requests = 100000;
INSERT INTO figures(part, what, note, digits, at_note, at_today, remark)
  SELECT '8', printf('%s, %dK requests: %% saved', h."option", h.requests / 1000), NULL, NULL, 100 * h.saved_usd
      / (h.cost_usd + h.saved_usd),
         100 * t.saved_usd / (t.cost_usd + t.saved_usd),
         CASE WHEN 100 * h.saved_usd / (h.cost_usd + h.saved_usd) BETWEEN 80 AND 95 THEN ''
             ELSE 'not within the "80-95 %" of the note''s last table' END
  FROM hosted h JOIN hosted t ON t.list = 'catalogue' AND t.requests = h.requests AND t."option" = h."option"
  WHERE h.list = 'note' AND h.kind = 'hosted';
INSERT INTO figures(part, what, note, digits, at_note, at_today, remark)
  SELECT '8', printf('A100, %dK requests: $ of a million tokens', h.requests / 1000), 0.3, 2, 1e6 * h.cost_usd
      / (h.requests * (r.input + r.output)), NULL,
         'the note''s "~$0.30" depends on how full it is: ' || printf('%.0f %%', 100 * h.utilisation)
  FROM hosted h, request r WHERE h.list = 'note' AND h."option" = 'A100';
INSERT INTO figures(part, what, note, digits, at_note, at_today, remark)
  SELECT '8', 'requests a month that cost $5,000 at GPT-4o', NULL, NULL, 5000 / llm_cost('gpt-4o', input, output, note), 5000
      / llm_cost('gpt-4o', input, output, today),
         'below it operations dominate: serverless first' FROM request, prices;
SELECT what, note, at_note_prices, at_todays_prices, off, remark FROM shown WHERE part = '8';
SELECT DISTINCT requests, rule FROM hosted WHERE list = 'note';

.print
.print 9. What to do first: what is left of $10,000 at both ends of each range
INSERT INTO figures(part, what, note, digits, at_note, at_today, remark)
  SELECT '9', printf('%s, %d %%: $', v.column1, v.column2), NULL, NULL, s.after_usd, s.after_usd,
         CASE v.column4 WHEN '7' THEN (SELECT printf('its own table gives %.1f to %.1f %%: see part 7', min(at_note), max(at_note))
             FROM figures WHERE part = '7' AND what GLOB '*% saved')
                        WHEN '8' THEN (SELECT printf('its own table gives %.1f to %.1f %%: see part 8', min(at_note), max(at_note))
                            FROM figures WHERE part = '8' AND what GLOB '*% saved')
                        ELSE v.column4 END
  FROM (VALUES ('prompt compression', 20, 1, ''), ('prompt compression', 40, 1,
      'of the bill only if all of it is input: see part 5'),
               ('model routing', 60, 1, ''), ('model routing', 80, 1, 'its own example claims 84 %'),
               ('semantic caching', 30, 1, ''), ('semantic caching', 60, 1, 'its own table of hit rates ends at 50 %'),
               ('batches for 40 % of the traffic', 50, 0.4, 'as the bottom line takes it'), ('batches for all of it', 50, 1, ''),
               ('fine-tuning', 70, 1, ''), ('fine-tuning', 90, 1, '7'),
               ('self-hosting', 80, 1, ''), ('self-hosting', 95, 1, '8')) v,
       llm_stack(10000, json_array(json_object('saves', v.column2 / 100.0, 'share', v.column3))) s WHERE s.step = 1;
SELECT what, at_note_prices, remark FROM shown WHERE part = '9';

.print
.print 10. Bottom line: they multiply
INSERT INTO figures(part, what, note, digits, at_note, remark)
  SELECT '10', s.name || ': $ a month', n.column2, 0, s.after_usd, printf('%+.2f, in all %.2f %% saved', -s.saved_usd,
      100 * s.total_saved_share)
  FROM llm_stack(10000, '[{"name":"prompt cleanup","saves":0.3},{"name":"routing","saves":0.7},{"name":"caching","saves":0.4},
                          {"name":"batches","saves":0.5,"share":0.4}]') s
  JOIN (VALUES (0, 10000), (1, 7000), (2, 2100), (3, 1260), (4, 1008)) n ON n.column1 = s.step;
SELECT what, note, at_note_prices, at_todays_prices, off, remark FROM shown WHERE part = '10';

DELETE FROM llm_prices WHERE list = 'note';
