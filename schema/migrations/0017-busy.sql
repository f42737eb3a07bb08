-- SPDX-License-Identifier: Apache-2.0
-- How much work keeps a VE awake is its plan's.
set local search_path = ve, ext;

alter table plan add column busy integer not null default 20,
  add constraint plan_busy_check check (busy between 1 and 1000);
comment on column plan.busy is 'thousandths of a CPU, or of the time with a disk that is waited for, that are activity';
