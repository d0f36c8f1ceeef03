drop table words, embeddings, chunk_sets, chunks, documents, sources;
drop function search_chunks, documents_to_search, show_document, tg_documents__index_words, lock_searched_documents, add_words, remove_words, rare_word_chunks, language_of, words_of_chunk, word_forms, fold_accents, code_of;
