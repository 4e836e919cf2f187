-- What Markdown of one tag or model is made of: the figures (figures.sql) are cut to it in their database. Read by work/report/filter.c.
--
--   $only        the condition, of tag and model
--   $cube, $before_cube     the figures that have what it asks for
--   $tag_only    the part of it that is of the tag, or 1
--   $is_model    1: it asks for a model
--   $drift       the drift that is of it; drift_none: there is none

-- let $measures
sum(calls) AS calls, sum(hits) AS hits, sum(errors) AS errors, sum(unpriced) AS unpriced, sum(input_tokens) AS input_tokens,
  sum(cached_input_tokens) AS cached_input_tokens, sum(output_tokens) AS output_tokens, sum(cost_nusd) AS cost_nusd,
  sum(saved_nusd) AS saved_nusd

-- figure days:
CREATE TABLE part AS SELECT day, billed, $measures, 0 AS invoiced FROM $cube WHERE $only GROUP BY 1, 2;
DELETE FROM days; INSERT INTO days SELECT * FROM part; DROP TABLE part;

-- figure day_models:
CREATE TABLE part AS SELECT day, billed, model, $measures FROM cells WHERE $only GROUP BY 1, 2, 3;
DELETE FROM day_models; INSERT INTO day_models SELECT * FROM part; DROP TABLE part;

-- figure day_tags:
CREATE TABLE part AS SELECT day, billed, tag, $measures FROM cells WHERE $only GROUP BY 1, 2, 3;
DELETE FROM day_tags; INSERT INTO day_tags SELECT * FROM part; DROP TABLE part;

-- figure day_users:
CREATE TABLE part AS SELECT day, billed, user, $measures FROM user_cells WHERE $only GROUP BY 1, 2, 3;
DELETE FROM day_users; INSERT INTO day_users SELECT * FROM part; DROP TABLE part;

-- figure before:
CREATE TABLE part AS SELECT billed, $measures FROM $before_cube WHERE $only GROUP BY 1;
DELETE FROM before; INSERT INTO before SELECT * FROM part; DROP TABLE part;

-- figure drift:
CREATE TABLE drift_none(billed, driver, detail, change_nusd, before, after, unit, text, tag, model);
DELETE FROM drift;
INSERT INTO drift SELECT billed, driver, detail, change_nusd, NULL, before, after, unit, NULL, text FROM $drift WHERE $only;

-- figure savings:
CREATE TABLE part AS SELECT c.saving, c.who, c.billed, sum(c.calls), sum(c.nusd), NULL, sum(c.unpriced),
  (SELECT s.baseline FROM savings s WHERE s.saving = c.saving AND s.who IS c.who LIMIT 1)
  FROM cell_savings c WHERE $only GROUP BY 1, 2, 3;
DELETE FROM savings; INSERT INTO savings SELECT * FROM part; DROP TABLE part;

-- figure lists:
DELETE FROM discarded WHERE NOT ($only); DELETE FROM unpriced WHERE NOT ($only); DELETE FROM prefix WHERE NOT ($only);
DELETE FROM dearest WHERE NOT ($only); DELETE FROM conversations WHERE $is_model OR NOT ($tag_only);
DELETE FROM prompts WHERE $is_model OR NOT ($tag_only);
DELETE FROM batches; DELETE FROM month; DELETE FROM budgets; DELETE FROM advice;
