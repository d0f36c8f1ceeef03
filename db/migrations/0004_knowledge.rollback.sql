drop table chunks;
drop table documents;
drop table sources;
