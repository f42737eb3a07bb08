-- SPDX-License-Identifier: Apache-2.0
-- The line as it would be served: one of each network, then a second one of
-- each; a network that was served longer ago comes first.
drop view if exists ve.queue_order;
create view ve.queue_order as
  select q.id, q.subscriber_id, q.template, q.network, q.since,
    row_number() over (order by q.turn, coalesce(t.served, 0), q.id) as place
  from (select w.*, row_number() over (partition by w.network order by w.id) as turn
      from ve.queue w join ve.subscriber s on s.id = w.subscriber_id
      where s.suspended_at is null) q
    left join ve.queue_turn t on t.network = q.network;
