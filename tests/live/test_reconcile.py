"""llm_reconcile: invoices beside the ledger, with the difference split over its causes; and invoices in the views of costs."""
import json
import os
import time
import unittest

from harness import Desk, error_of, value
from test_sums import Ledger, ms

DAY = "2026-11-04"
MODEL = "claude-haiku-4-5"  # 1.00 in, 5.00 out, 0.10 read, 1.25 and 2.00 written


class Invoices(Ledger):
    def write(self, name, text):
        path = os.path.join(self.tmp.name, name)
        with open(path, "w") as f:
            f.write(text if isinstance(text, str) else json.dumps(text))
        return json.loads(value(self.db, "SELECT llm_import(?)", path))

    def cost_report(self, *rows, day=DAY):
        """rows: (token_type, dollars, model)."""
        after = f"{day[:8]}{int(day[8:]) + 1:02}"
        return self.write("cost.json", {"has_more": False, "next_page": None, "data": [
            {"starting_at": f"{day}T00:00:00Z", "ending_at": f"{after}T00:00:00Z", "results": [
                {"currency": "USD", "amount": repr(round(usd * 100, 7)), "workspace_id": None, "description": "x", "cost_type": "tokens",
                 "context_window": "0-200k", "model": model, "service_tier": "standard", "token_type": kind, "inference_geo": None}
                for kind, usd, model in rows]}]})

    def usage_report(self, fresh=0, read=0, short=0, long=0, out=0, model=MODEL, day=DAY):
        after = f"{day[:8]}{int(day[8:]) + 1:02}"
        return self.write("usage.json", {"has_more": False, "next_page": None, "data": [
            {"starting_at": f"{day}T00:00:00Z", "ending_at": f"{after}T00:00:00Z", "results": [
                {"uncached_input_tokens": fresh, "cache_creation": {"ephemeral_1h_input_tokens": long, "ephemeral_5m_input_tokens": short},
                 "cache_read_input_tokens": read, "output_tokens": out, "server_tool_use": {"web_search_requests": 0}, "api_key_id": None,
                 "workspace_id": None, "model": model, "service_tier": "standard", "context_window": None, "inference_geo": None}]}]})

    def calls(self, *calls, provider="anthropic", model="claude-haiku-4-5-20251001"):
        self.insert([{"ts": ms(f"{DAY}T12:00:00") + i, "provider": provider, "model": model, "input_tokens": sum(c[:4]),
                      "cached_input_tokens": c[1], "cache_write_tokens": c[2] + c[3], "cache_write_long_tokens": c[3],
                      "output_tokens": c[4], "cost_nusd": 1000 * c[0] + 100 * c[1] + 1250 * c[2] + 2000 * c[3] + 5000 * c[4],
                      "service": "standard"} for i, c in enumerate(calls)])

    def lines(self, options="{}"):
        cursor = self.db.execute("SELECT * FROM llm_reconcile(?)", (options,))
        names = [d[0] for d in cursor.description]
        causes = names[names.index("unpriced") + 1:]
        found = {}
        for row in cursor.fetchall():
            line = dict(zip(names, row))
            self.assertAlmostEqual(line["difference_usd"], sum(line[c] for c in causes), 9, "the causes add up")
            self.assertAlmostEqual(line["difference_usd"], (line["invoiced_usd"] or 0) - (line["ledger_usd"] or 0), 9)
            line["causes"] = {c[:-4]: round(line[c], 9) for c in causes if round(line[c], 9)}
            found[line["model"], line["item"]] = line
        return found


class Causes(Invoices):
    def test_what_agrees(self):
        self.calls((1000000, 2000000, 100000, 50000, 30000))
        self.cost_report(("uncached_input_tokens", 1.0, MODEL), ("cache_read_input_tokens", 0.2, MODEL),
                         ("cache_creation.ephemeral_5m_input_tokens", 0.125, MODEL),
                         ("cache_creation.ephemeral_1h_input_tokens", 0.1, MODEL), ("output_tokens", 0.15, MODEL))
        found = self.lines()
        self.assertEqual({k[1]: (v["cause"], v["invoiced_usd"]) for k, v in found.items()},
                         {"input": ("agrees", 1.0), "cache_read": ("agrees", 0.2), "cache_write": ("agrees", 0.125),
                          "cache_write_1h": ("agrees", 0.1), "output": ("agrees", 0.15)})
        self.assertEqual({v["day"] for v in found.values()}, {DAY})

    def test_calls_we_never_saw(self):
        self.calls((1000000, 0, 0, 0, 0))
        self.usage_report(fresh=1500000)
        self.cost_report(("uncached_input_tokens", 1.5, MODEL), ("output_tokens", 0.5, "claude-sonnet-5-5"))
        found = self.lines()
        self.assertEqual(found[MODEL, "input"]["causes"], {"not_seen": 0.5})
        self.assertEqual((found[MODEL, "input"]["invoiced_quantity"], found[MODEL, "input"]["ledger_quantity"]), (1500000, 1000000))
        self.assertEqual(found["claude-sonnet-5-5", "output"]["causes"], {"not_seen": 0.5})
        self.assertIsNone(found["claude-sonnet-5-5", "output"]["ledger_usd"])

    def test_calls_the_invoice_does_not_have(self):
        self.calls((1000000, 0, 0, 0, 2000))
        self.cost_report(("uncached_input_tokens", 1.0, MODEL))
        self.assertEqual(self.lines()[MODEL, "output"]["causes"], {"not_billed": -0.01})

    def test_another_service(self):
        self.calls((1000000, 0, 0, 0, 0))
        self.usage_report(fresh=1000000)
        self.cost_report(("uncached_input_tokens", 0.5, MODEL))
        self.assertEqual(self.lines()[MODEL, "input"]["causes"], {"service": -0.5})

    def test_both_at_once(self):
        self.calls((1000000, 0, 0, 0, 0))
        self.usage_report(fresh=1200000)
        self.cost_report(("uncached_input_tokens", 0.6, MODEL))
        self.assertEqual(self.lines()[MODEL, "input"]["causes"], {"not_seen": 0.2, "service": -0.6})

    def test_the_other_lifetime(self):
        self.calls((0, 0, 1000000, 0, 0))
        self.usage_report(short=1000000)
        self.cost_report(("cache_creation.ephemeral_5m_input_tokens", 2.0, MODEL))
        self.assertEqual(self.lines()[MODEL, "cache_write"]["causes"], {"cache": 0.75})

    def test_a_price_that_nobody_knows_is_unexplained(self):
        self.calls((1000000, 0, 0, 0, 0))
        self.usage_report(fresh=1000000)
        self.cost_report(("uncached_input_tokens", 0.83, MODEL))
        self.assertEqual(self.lines()[MODEL, "input"]["causes"], {"unexplained": -0.17})

    def test_discount_and_rounding_of_the_console(self):
        self.calls((1003000, 0, 0, 0, 0))
        self.write("console.csv", "usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,list_price_usd,"
                   "cost_type,inference_geo,speed,api_key_id,api_key_status\n"
                   f"{DAY},Claude Haiku 4.5,Default,k,message,≤ 200k,input_no_cache,0.90,1.00,token,global,,a,active\n")
        self.assertEqual(self.lines()[MODEL, "input"]["causes"], {"discount": -0.1, "rounding": -0.003})

    def test_list_prices_are_not_held_against_an_invoice(self):
        self.calls((1000000, 0, 0, 0, 0))
        self.raw.execute("UPDATE llm_calls SET billed = 'list', source = 'claude_code'")
        self.cost_report(("uncached_input_tokens", 1.0, MODEL))
        self.assertEqual(self.lines()[MODEL, "input"]["causes"], {"not_seen": 1.0})

    def test_only_what_is_asked_for(self):
        self.calls((1000000, 0, 0, 0, 0))
        self.cost_report(("uncached_input_tokens", 1.0, MODEL))
        self.assertEqual(self.lines('{"provider":"openai"}'), {})
        self.assertEqual(self.lines('{"from":"2026-11-05"}'), {})
        self.assertEqual(len(self.lines('{"from":"2026-11-04","to":"2026-11-05","source":"anthropic_cost"}')), 1)
        self.assertIn("valid: source", error_of(self.db, "SELECT * FROM llm_reconcile('{\"day\":1}')"))
        self.assertEqual(self.db.execute("SELECT count(*) FROM llm_reconcile").fetchone(), (1,))

    def test_an_unpriced_call_is_counted_not_summed(self):
        self.calls((1000000, 0, 0, 0, 0))
        self.calls((10, 0, 0, 0, 0), model="claude-of-tomorrow")
        self.cost_report(("uncached_input_tokens", 1.0, MODEL))
        found = self.lines()
        self.assertEqual(found["claude-of-tomorrow", None]["unpriced"], 1)


class Views(Invoices):
    def costs(self, what="day, calls, cost_usd, source, basis, zone", view="daily"):
        return self.rows(f"SELECT {what} FROM llm_cost_{view} ORDER BY 1, 2")

    def test_an_invoice_counts_where_no_paid_call_is_known(self):
        self.cost_report(("uncached_input_tokens", 1.25, MODEL))
        self.usage_report(fresh=1250000, out=10)
        self.assertEqual(self.costs("day, cost_usd, input_tokens, source, basis"),
                         [(DAY, None, 1250000, "anthropic_usage", "invoice"), (DAY, 1.25, None, "anthropic_cost", "invoice")])
        self.assertEqual(self.costs("model, provider, cost_usd", "by_model WHERE cost_usd > 0"), [(MODEL, "anthropic", 1.25)])
        self.calls((1000, 0, 0, 0, 0), provider="openai", model="gpt-4o-mini")  # another provider's
        self.assertIn((1.25,), self.rows("SELECT cost_usd FROM llm_cost_daily"))
        self.calls((1000, 0, 0, 0, 0))
        self.assertEqual(self.costs("day, basis"), [(DAY, "sums")])

    def test_a_call_that_used_nothing_does_not_stand_for_an_invoice(self):
        self.cost_report(("uncached_input_tokens", 1.25, MODEL))
        self.insert([{"ts": ms(f"{DAY}T12:00:00"), "provider": "anthropic", "model": MODEL, "error": "http_500", "cost_nusd": None,
                      "input_tokens": None, "output_tokens": None}])
        self.assertIn(("invoice", 1.25), self.costs("basis, cost_usd"))

    def test_list_rows_do_not_stand_for_an_invoice(self):
        self.cost_report(("uncached_input_tokens", 1.25, MODEL))
        self.insert([{"ts": ms(f"{DAY}T12:00:00"), "provider": "anthropic", "model": MODEL, "source": "claude_code", "billed": "list",
                      "cost_nusd": 77}])
        self.assertEqual(self.costs("billed, cost_usd, basis"), [("list", 77e-9, "sums"), ("paid", 1.25, "invoice")])

    def test_the_same_money_from_two_sources_counts_once(self):
        self.cost_report(("uncached_input_tokens", 1.25, MODEL))
        self.write("console.csv", "usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,list_price_usd,"
                   "cost_type,inference_geo,speed,api_key_id,api_key_status\n"
                   f"{DAY},Claude Haiku 4.5,Default,k,message,≤ 200k,input_no_cache,1.25,1.25,token,global,,a,active\n")
        self.assertEqual(self.rows("SELECT count(*) FROM llm_invoices"), [(2,)])
        self.assertEqual(self.costs("sum(cost_usd), source"), [(1.25, "anthropic_cost")])
        self.assertEqual(len(self.lines()), 1)

    def test_no_sum_is_too_large(self):
        start = ms("2026-11-04T00:00:00") // 1000
        self.write("costs.json", {"object": "page", "data": [{"object": "bucket", "start_time": start, "end_time": start + 86400, "results": [
            {"amount": {"value": 9000000, "currency": "usd"}, "line_item": "gpt-4o, input", "project_id": f"p{i}"} for i in range(1200)]}]})
        for view in ("daily", "monthly", "by_model", "by_tag", "by_user"):
            self.assertEqual(self.rows(f"SELECT cost_usd FROM llm_cost_{view}"), [(1.08e10,)])

    def test_many_of_them(self):
        """Half a year by hours: which of them count is not asked of each pair."""
        start = ms("2026-05-01T00:00:00") // 1000
        self.write("hours.json", {"object": "page", "data": [
            {"object": "bucket", "start_time": start + 3600 * h, "end_time": start + 3600 * (h + 1), "results": [
                {"object": "organization.usage.completions.result", "input_tokens": 10, "output_tokens": 1, "num_model_requests": 1,
                 "model": f"m{m}"} for m in range(5)]} for h in range(4320)]})
        began = time.monotonic()
        self.assertEqual(self.rows("SELECT sum(input_tokens), sum(calls) FROM llm_cost_daily"), [(216000, 21600)])
        self.assertEqual(self.rows("SELECT count(*) FROM llm_cost_by_model"), [(5,)])
        self.assertEqual(self.rows("SELECT count(*) FROM llm_reconcile"), [(0,)])  # no money
        self.assertLess(time.monotonic() - began, 10)  # (each pair: minutes)

    def test_its_days_stay_utc_days(self):
        self.rows("SELECT llm_config('time_zone', 'Asia/Shanghai')")
        self.cost_report(("uncached_input_tokens", 1.25, MODEL))
        self.insert([{"ts": ms(f"{DAY}T20:00:00"), "provider": "openai"}])  # the 5th there
        self.assertEqual(self.costs(), [(DAY, 0, 1.25, "anthropic_cost", "invoice", "UTC"),
                                        ("2026-11-05", 1, 1e-6, None, "sums", "Asia/Shanghai")])
        self.assertEqual(self.rows("SELECT cost_usd FROM llm_cost_by_model WHERE day = ? AND basis = 'invoice'", DAY), [(1.25,)])
        self.assertEqual(self.rows("SELECT count(*) FROM llm_cost_by_model WHERE day = '2026-11-05' AND basis = 'invoice'"), [(0,)])
        self.assertEqual(self.rows("SELECT count(*) FROM llm_cost_hourly WHERE basis = 'invoice'"), [(0,)])

    def test_models_of_invoices_have_plain_names(self):
        self.cost_report(("uncached_input_tokens", 1.0, "claude-haiku-4-5-20251001"), ("output_tokens", 0.5, "claude-haiku-4-5"))
        self.assertEqual(self.costs("model, cost_usd", "by_model"), [(MODEL, 1.5)])



class OwnCalls(Desk):
    def test_the_first_of_them_stands_for_the_invoice(self):
        """Also where it is not in the sums yet, which take rows some at a time."""
        today = int(time.time()) // 86400 * 86400
        path = os.path.join(self.tmp.name, "costs.json")
        with open(path, "w") as f:
            json.dump({"object": "page", "data": [{"object": "bucket", "start_time": today, "end_time": today + 86400, "results": [
                {"amount": {"value": 5.0, "currency": "usd"}, "line_item": "gpt-4o-mini, input", "project_id": None}]}]}, f)
        value(self.db, "SELECT llm_import(?)", path)
        costs = "SELECT basis, count(*) FROM llm_cost_{} WHERE basis <> 'detail' GROUP BY 1"
        self.assertEqual(self.db.execute(costs.format("daily")).fetchall(), [("invoice", 1)])
        value(self.db, """SELECT llm_complete('hello', '{"model":"gpt-4o-mini"}')""")
        for view in ("daily", "by_model", "by_tag"):
            self.assertEqual(self.db.execute(costs.format(view)).fetchall(), [("sums", 1)], view)


if __name__ == "__main__":
    from harness import main
    main()
