"""libSQL server under load: many clients at once, their transactions, streams that end; the ledger is the bill, and a
primary and two replicas hold the same afterwards. The same with a store in a folder of its own and with one in main."""
import itertools
import threading
import time
import unittest

import sqld
from servers import FOLDER, MAIN, Cluster, answers, failures, options, together

CLIENTS, QUESTIONS = 8, 50
TOWNS = ["Oslo", "Turin", "Lyon", "Gdansk"]


class Load:
    numbers = itertools.count(1)

    def setUp(self):
        self.flush()
        super().setUp()
        self.name = f"Q{next(self.numbers)}"  # (the stand-in repeats the first words of a question)

    def questions(self, client, count=QUESTIONS):
        return [f"{self.name} {client}-{i}" for i in range(count)]

    def ask_all(self, client, keeps):
        """A client's questions one after the other, on a stream that it keeps or a new one for each: those answered wrongly."""
        wrong = []
        with self.primary.stream() as stream:
            for question in self.questions(client):
                ask = stream.value if keeps else self.primary.value
                if not answers(ask("SELECT llm_complete(?)", question), question):
                    wrong.append(question)
        return wrong

    def read_meanwhile(self, replica, until):
        """Looks at a replica's ledger until it is told to stop: it only grows."""
        last = 0
        while not until.is_set():
            seen = replica.value("SELECT count(*) FROM llm_calls")
            assert seen >= last, (seen, last)
            last = seen

    def test_eight_clients_of_fifty_questions_each(self):
        done = threading.Event()
        readers = [threading.Thread(target=self.read_meanwhile, args=(r, done)) for r in self.replicas]
        [r.start() for r in readers]
        try:
            results = together([lambda c=c: self.ask_all(c, keeps=c % 2) for c in range(CLIENTS)])
        finally:
            done.set()
            [r.join() for r in readers]
        self.assertEqual(results, [[]] * CLIENTS)
        self.assertEqual(self.sent(), CLIENTS * QUESTIONS)
        self.check_ledger()

    def test_the_same_question_of_eight_clients_is_paid_once(self):
        self.standin.latency(300)
        question = self.questions(0)[0]
        results = together([lambda: self.primary.value("SELECT llm_complete(?)", question)] * CLIENTS)
        self.assertEqual(failures(results), [])
        self.assertEqual((len(set(results)), self.sent()), (1, 1))
        self.check_ledger()

    def write_meanwhile(self, until):
        """Writes without a pause, in rows of its own: how long the longest write took."""
        longest = 0
        while not until.is_set():
            start = time.monotonic()
            try:
                self.primary.ask("INSERT INTO written VALUES (1)")
            except sqld.Refused as e:  # (the server's own writers come too late for each other now and then)
                self.assertRegex(str(e), "locked|timed out")
            longest = max(longest, time.monotonic() - start)
        return longest

    def beside_a_writer(self, jobs):
        """What the jobs gave, while another client wrote; and its longest write."""
        self.primary.ask("CREATE TABLE IF NOT EXISTS written(x)")
        done, waited = threading.Event(), []
        writer = threading.Thread(target=lambda: waited.append(self.write_meanwhile(done)))
        writer.start()
        try:
            results = together(jobs)
        finally:
            done.set()
            writer.join()
        return results, waited[0]

    def put(self, client, rows=20):
        """A client's questions into a table."""
        self.primary.ask("CREATE TABLE IF NOT EXISTS asked(client, question)")
        rows = ", ".join(f"('{self.name} {client}', '{q}')" for q in self.questions(client, rows))
        self.primary.ask(f"INSERT INTO asked VALUES {rows}")

    def many_rows(self, client, stream):
        """Asks them by one SELECT: those answered wrongly, and how many rows there were."""
        got = stream.ask("SELECT question, llm_complete(question) FROM asked WHERE client = ?", f"{self.name} {client}")
        return [q for q, answer in got if not answers(answer, q)], len(got)

    def test_statements_of_many_rows_beside_a_writer(self):
        """Their streams are closed at once: what of them waited for the lock is written all the same."""
        def job(client):
            with self.primary.stream() as stream:
                return self.many_rows(client, stream)
        for client in range(4):
            self.put(client)
        self.standin.latency(5)
        start = time.monotonic()
        results, _ = self.beside_a_writer([lambda c=c: job(c) for c in range(4)])
        took = time.monotonic() - start
        self.assertEqual(results, [([], 20)] * 4)
        self.assertEqual(self.sent(), 80)
        self.check_ledger()
        self.check_texts(80)
        self.assertLess(took, 15, "seconds; a row that cannot be written now must not wait")

    def check_texts(self, count):
        found = self.primary.value("SELECT count(DISTINCT t.text) FROM llm_texts t WHERE t.text LIKE ?",
                                   self.name + " %")
        self.assertEqual(found, count, "texts of questions")

    def test_a_stream_that_expires_leaves_its_rows(self):
        self.put(0)
        stream = self.primary.stream()
        results, _ = self.beside_a_writer([lambda: self.many_rows(0, stream)])
        self.assertEqual(results, [([], 20)])
        for _ in range(11):
            time.sleep(1)
            [kept.ask("SELECT 1") for kept in self.kept]
        with self.assertRaises(sqld.Refused):
            stream.ask("SELECT 1")
        self.check_ledger()
        self.check_texts(20)

    def test_a_transaction_that_is_rolled_back(self):
        """What was paid in it stays; with the store in main it goes along where the transaction held the lock."""
        for begin, question in zip(("BEGIN", "BEGIN IMMEDIATE"), self.questions(0)):
            with self.subTest(begin=begin):
                before = self.sent()
                with self.primary.stream() as stream:
                    stream.ask(begin)
                    first = stream.value("SELECT llm_complete(?)", question)
                    stream.ask("ROLLBACK")
                self.flush()
                self.assertEqual(self.primary.value("SELECT llm_complete(?)", question), first)
                self.assertEqual(self.sent() - before, 2 if (self.store, begin) == (MAIN, "BEGIN IMMEDIATE") else 1)

    def test_what_waits_does_not_go_with_the_rollback_of_another(self):
        """The rows of a SELECT that reads a table, whose stream has ended; then another client's transaction is rolled back."""
        self.put(0, 2)
        with self.primary.stream() as stream:
            self.assertEqual(self.many_rows(0, stream), ([], 2))
        with self.primary.stream() as stream:
            stream.ask("BEGIN IMMEDIATE")
            stream.value("SELECT llm_complete(?)", self.questions(1)[0])
            stream.ask("ROLLBACK")
        self.flush()
        self.assertEqual(len(self.calls(where="kind = 'call'")), 2 if self.store == MAIN else 3)
        sent = self.sent()
        for question in self.questions(0, 2):
            self.primary.value("SELECT llm_complete(?)", question)
        self.assertEqual(self.sent(), sent, "what was answered is not paid again")

    def test_a_transaction_that_was_committed(self):
        question = self.questions(0)[0]
        with self.primary.stream() as stream:
            stream.ask("CREATE TABLE IF NOT EXISTS kept(answer)")
            stream.ask("BEGIN IMMEDIATE")
            stream.ask("INSERT INTO kept SELECT llm_complete(?)", question)
            stream.ask("COMMIT")
        self.assertEqual((self.sent(), self.paid()), (1, 1))
        self.assertTrue(answers(self.primary.value("SELECT answer FROM kept"), question))
        self.check_ledger()

    def test_a_batch_is_one_transaction(self):
        question = self.questions(0)[0]
        with self.primary.stream() as stream:
            rows = stream.batch("BEGIN IMMEDIATE", f"SELECT llm_complete('{question}')", "COMMIT")
        self.assertTrue(answers(rows[1][0][0], question))
        self.check_ledger()

    def test_a_call_before_the_first_write_of_a_transaction_holds_nobody_up(self):
        question = self.questions(0)[0]
        self.standin.latency(1500)

        def transaction():
            with self.primary.stream() as stream:
                stream.ask("BEGIN")
                return stream.value("SELECT llm_complete(?)", question)
        results, longest = self.beside_a_writer([transaction])
        self.assertEqual(failures(results), [])
        self.assertLess(longest, 1)
        self.standin.latency(0)
        self.assertEqual(self.sent(), 1)

    def test_an_answer_is_kept_where_its_transaction_came_too_late_to_write(self):
        """BEGIN; a SELECT; a call; an INSERT, which cannot be, since others have written meanwhile."""
        question = self.questions(0)[0]
        self.standin.latency(300)

        def transaction():
            with self.primary.stream() as stream:
                stream.pipeline("BEGIN", "SELECT count(*) FROM written")
                stream.value("SELECT llm_complete(?)", question)
                stream.ask("INSERT INTO written VALUES (2)")
        results, _ = self.beside_a_writer([transaction])
        self.assertIn("database is locked", str(results[0]))
        self.standin.latency(0)
        self.flush()
        self.assertTrue(answers(self.primary.value("SELECT llm_complete(?)", question), question))
        self.assertEqual(self.sent(), 1)
        self.check_ledger()

    def test_maps_at_once(self):
        asked = "SELECT count(answer) FROM llm_map('SELECT value, ''{0} {1}-'' || value FROM json_each(''{2}'')')"
        results = together([lambda c=c: self.primary.value(asked.format(self.name, c, list(range(50)))) for c in range(4)])
        self.assertEqual(results, [50] * 4)
        self.assertEqual(self.sent(), 200)
        self.check_ledger()

    def test_similar_questions_of_clients_at_once(self):
        """Each is answered by the answer of its like, or paid: never by that of another."""
        kind = options(cache="semantic")

        def ask(client):
            with self.primary.stream() as stream:
                return [tuple(stream.value("SELECT llm_complete(?, ?)", question.format(thing, self.name, TOWNS[client]), kind)
                              for question in ("What is the {} of the {} shop in {}?", "what's the {} of the {} shop in {}"))
                        for thing in ("return policy", "warranty", "delivery time")]
        pairs = sum(together([lambda c=c: ask(c) for c in range(len(TOWNS))]), [])
        firsts = {first for first, _ in pairs}  # (each answer of the stand-in's names its request)
        self.assertEqual(len(firsts), 12)
        self.assertEqual([(first, again) for first, again in pairs if again != first and again in firsts], [])
        self.assertGreater(len(self.calls(where="kind = 'hit_semantic'")), 0)
        self.check_ledger()

    def test_a_write_asked_on_a_replica_is_done_on_the_primary(self):
        question, other = self.questions(0, 2)
        self.primary.ask("CREATE TABLE IF NOT EXISTS written_by_replicas(answer)")
        self.mark()
        for replica in self.replicas:
            replica.ask("INSERT INTO written_by_replicas SELECT llm_complete(?)", question)
            with replica.stream() as stream:
                stream.ask("BEGIN IMMEDIATE")
                self.assertTrue(answers(stream.value("SELECT llm_complete(?)", other), other))
                stream.ask("COMMIT")
        self.assertEqual((self.sent(), self.paid()), (2, 2))
        self.assertEqual(self.primary.value("SELECT count(*) FROM written_by_replicas"), 2)
        self.check_ledger()

    # What a client may try on a replica, and what it is told.
    TRIED = [("SELECT llm_complete('new ' || ?)", "replica"), ("SELECT llm_call('new ' || ?)", "."),
             ("SELECT answer FROM llm_call('new ' || ?)", "replica"),
             ("SELECT llm_complete('new ' || ?, '{\"model\":\"nix\"}')", "nix|replica"),
             ("SELECT llm_complete('new ' || ?, '{\"model\":\"command-r\"}')", "key|model|replica"),
             ("SELECT llm_cache_feedback(1, ? IS NULL)", "replica"),
             ("SELECT * FROM llm_map('SELECT 1, ''new'' || ' || ?)", "replica"),
             ("SELECT llm_complete('hit', json_object('tag', ?))", None)]

    def hammer(self, replica, times):
        """Errors that are not the expected ones."""
        strange = []
        with replica.stream() as stream:
            for i in range(times):
                sql, told = self.TRIED[i % len(self.TRIED)]
                try:
                    stream.ask(sql, str(i))
                except sqld.Refused as e:
                    if "replica" not in str(e) and "no such function" not in str(e) and "nix" not in str(e):
                        strange.append((sql, str(e)))
                    if told is None and self.store == MAIN:
                        strange.append((sql, str(e)))
        return strange

    def test_replicas_that_are_hammered_send_nothing_and_write_nothing(self):
        """200 calls, hits, refusals and judgements on each, while the primary calls."""
        self.primary.value("SELECT llm_complete('hit')")
        self.mark()
        calls = [lambda: self.ask_all("p", keeps=True)]
        results = together(calls + [lambda r=r: self.hammer(r, 100) for r in self.replicas for _ in (1, 2)])
        self.assertEqual(results, [[]] * 5)
        self.assertEqual(self.sent(), QUESTIONS + 1)
        self.check_ledger()
        self.check_nodes()
        self.ask_all("q", keeps=False)  # (what a replica had written would meet these rows)


class InFolder(Load, Cluster):
    store = FOLDER

    def test_the_copy_for_replicas_is_made_beside_a_writer(self):
        def call_and_copy():
            for question in self.questions(0, 20):
                self.primary.value("SELECT llm_complete(?)", question)
                self.primary.ask("SELECT llm_mirror()")
        results, _ = self.beside_a_writer([call_and_copy])
        self.assertEqual(results, [None])
        self.mark()
        rows = "SELECT id, kind, cost_nusd FROM llm_calls ORDER BY id"
        for replica in self.replicas:
            self.assertEqual(replica.ask(rows), self.primary.ask(rows))

    def test_copies_at_once(self):
        self.primary.value("SELECT llm_complete(?)", self.questions(0)[0])
        results = together([lambda: self.primary.value("SELECT llm_mirror() ->> 'left'")] * 4)
        self.assertEqual(results, [0] * 4)
        self.assertEqual(self.primary.value("SELECT count(*) FROM llm_mirror_calls"), self.primary.value("SELECT count(*) FROM llm_calls"))

    def test_a_copy_that_is_rolled_back_is_made_again(self):
        self.primary.value("SELECT llm_complete(?)", self.questions(0)[0])
        with self.primary.stream() as stream:
            stream.ask("BEGIN IMMEDIATE")
            self.assertGreater(stream.value("SELECT llm_mirror() ->> 'calls'"), 0)
            stream.ask("ROLLBACK")
        self.primary.ask("SELECT llm_mirror()")
        self.assertEqual(self.primary.value("SELECT count(*) FROM llm_mirror_calls"), self.primary.value("SELECT count(*) FROM llm_calls"))


class InMain(Load, Cluster):
    store = MAIN


if __name__ == "__main__":
    unittest.main()
