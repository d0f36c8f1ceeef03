drop function find_candidates, chunks_by_code;
drop table words, embeddings, cells, chunk_sets, chunks, documents, sources;
drop function chunk_sets_to_divide, move_embeddings, divide_chunk_set, tg_embeddings__find_cell, cell_of, documents_to_search, show_document, tg_documents__index_words, lock_searched_documents, weighed_words, question_words, add_words, remove_words, rare_word_chunks, language_of, words_of_chunk, word_forms, fold_accents, code_of;
