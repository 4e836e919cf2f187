-- CHECK constraints: SQLite 3.40 runs functions in them whatever their flags.

CREATE TABLE notes(t TEXT CHECK (llm_allow_host('HOST') <> '' AND llm_complete(t) <> ''));
CREATE TABLE chats(t TEXT, check("LLM_CHAT"('[{"role":"user","content":"' || t || '"}]') <> ''));
CREATE TABLE keys(t TEXT CHECK (llm_secret('OPENAI_API_KEY', t) <> ''));
CREATE TABLE settings(t TEXT CHECK (llm_config('proxy', 'URL' || t) <> ''));
