-- SPDX-License-Identifier: Apache-2.0
-- Networks take turns in a node's line for an address, as they do in the one for a
-- place: the node is told where a VE's subscriber comes from.
set local search_path = ve, ext;

alter table ve add column network cidr,
  add column waiting_s bigint;
comment on column ve.network is 'where its subscriber came from when it was made';
comment on column ve.waiting_s is 'how many seconds its node thinks it has to wait for an address';
update ve v set network = network(set_masklen(s.created_from, case family(s.created_from) when 4 then 24 else 64 end))
  from subscriber s where s.id = v.subscriber_id and v.deleted_at is null;
drop function if exists ve_place(bigint, text);
