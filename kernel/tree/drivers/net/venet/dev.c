// SPDX-License-Identifier: GPL-2.0-only
/*
 * venet devices.
 *
 *      VE 1000              VE 1001                 node
 *   +-----------+        +-----------+       +---------------+
 *   |  venet0   |        |  venet0   |       |    venet0     |--- routing, nft
 *   +-----+-----+        +-----+-----+       +-------+-------+
 *         |  source in table?  |                     |
 *         +--------------------+-------->------------+  out of a VE
 *         +--------------------+--------<------------+  destination in table?
 *
 * A device is born in the VE's network namespace and dies with it; nothing is
 * ever moved between namespaces.  Packets from VE to VE pass the node, whose
 * filter sees them.  The VE can neither delete nor move its device.
 */
#include "venet.h"

#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <linux/init.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/log2.h>
#include <linux/rtnetlink.h>
#include <linux/ve.h>
#include <linux/ve_guard.h>
#include <net/addrconf.h>
#include <net/ip.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

static struct net_device *venet_node_dev __read_mostly;

struct net_device *venet_node_device(void)
{
	return venet_node_dev;
}

/* Source and destination as table keys; false for what is neither family. */
static bool venet_parse(struct sk_buff *skb, struct in6_addr *src,
			struct in6_addr *dst)
{
	skb_reset_network_header(skb);
	if (!pskb_network_may_pull(skb, sizeof(struct iphdr)))
		return false;
	switch (ip_hdr(skb)->version) {
	case 4:
		ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, src);
		ipv6_addr_set_v4mapped(ip_hdr(skb)->daddr, dst);
		skb->protocol = htons(ETH_P_IP);
		return true;
	case 6:
		if (!pskb_network_may_pull(skb, sizeof(struct ipv6hdr)))
			return false;
		*src = ipv6_hdr(skb)->saddr;
		*dst = ipv6_hdr(skb)->daddr;
		/* The table's IPv4 rows are not to be named this way. */
		if (ipv6_addr_v4mapped(src) || ipv6_addr_v4mapped(dst))
			return false;
		skb->protocol = htons(ETH_P_IPV6);
		return true;
	}
	return false;
}

/* Hand the packet to the stack behind @to as if it came in there. */
static void venet_deliver(struct sk_buff *skb, struct net_device *from,
			  struct net_device *to, u32 mark)
{
	unsigned int len = skb->len;

	skb_scrub_packet(skb, true);
	skb->mark = mark;
	skb->priority = 0;	/* the node's queues go by it, and a VE sets its own */
	skb->dev = to;
	skb->pkt_type = PACKET_HOST;
	skb_reset_mac_header(skb);
	skb_reset_mac_len(skb);
	if (netif_rx(skb) == NET_RX_SUCCESS) {
		dev_sw_netstats_tx_add(from, 1, len);
		dev_sw_netstats_rx_add(to, len);
	}
}

static void venet_saw_tx(struct venet_ve *v)
{
	u64 now = ktime_get_coarse_boottime_ns();

	if (READ_ONCE(v->last_tx) != now)
		WRITE_ONCE(v->last_tx, now);
}

/* One line for the first, the second, the fourth ...: a flood fills no log. */
static void venet_saw_spoofed(struct venet_ve *v, const struct in6_addr *src)
{
	u64 n = atomic64_inc_return(&v->spoofed);

	if (is_power_of_2(n))
		pr_warn("venet: VE %u sent from %pI6c, which is not its own: dropped, %llu in all\n",
			v->ve->veid, src, n);
}

/* Out of a VE: only from its own addresses. */
static netdev_tx_t venet_ve_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct venet_ve *v = netdev_priv(dev);
	struct net_device *node = READ_ONCE(venet_node_dev);
	struct in6_addr src, dst;
	struct venet_addr *a;

	guard(rcu)();
	if (!venet_parse(skb, &src, &dst) || !netif_running(node)) {
		atomic64_inc(&v->tx_dropped);
		goto drop;
	}
	a = venet_lookup(&src);
	if ((!a || a->v != v) && ve_guard(source)) {
		venet_saw_spoofed(v, &src);
		goto drop;
	}
	if (!venet_may_send(v, skb)) {
		atomic64_inc(&v->tx_dropped);
		goto drop;
	}
	venet_saw_tx(v);
	if (skb->protocol == htons(ETH_P_IPV6)) {
		this_cpu_inc(v->v6->tx_packets);
		this_cpu_add(v->v6->tx_bytes, skb->len);
	}
	venet_deliver(skb, dev, node, READ_ONCE(v->mark));
	return NETDEV_TX_OK;
drop:
	kfree_skb(skb);
	return NETDEV_TX_OK;
}

/* From the node: to whom the destination belongs. */
static netdev_tx_t venet_node_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct venet_ve *node = netdev_priv(dev);
	struct in6_addr src, dst;
	struct venet_addr *a;

	guard(rcu)();
	a = venet_parse(skb, &src, &dst) ? venet_lookup(&dst) : NULL;
	if (!a) {
		atomic64_inc(&node->tx_dropped);
		goto drop;
	}
	if (!netif_running(a->v->dev)) {
		atomic64_inc(&a->v->rx_dropped);
		goto drop;
	}
	venet_heard(a->v, skb);
	if (skb->protocol == htons(ETH_P_IPV6)) {
		this_cpu_inc(a->v->v6->rx_packets);
		this_cpu_add(a->v->v6->rx_bytes, skb->len);
	}
	venet_deliver(skb, dev, a->v->dev, 0);
	return NETDEV_TX_OK;
drop:
	kfree_skb(skb);
	return NETDEV_TX_OK;
}

static void venet_get_stats64(struct net_device *dev,
			      struct rtnl_link_stats64 *st)
{
	struct venet_ve *v = netdev_priv(dev);

	dev_get_tstats64(dev, st);
	st->tx_dropped += atomic64_read(&v->tx_dropped) +
			  atomic64_read(&v->spoofed);
	st->rx_dropped += atomic64_read(&v->rx_dropped);
}

/* The rows go first; unregistering waits for packets before it frees. */
static void venet_uninit(struct net_device *dev)
{
	struct venet_ve *v = netdev_priv(dev);

	venet_table_flush(v);
	venet_limit_free(v);
	if (!ve_is_node(v->ve))
		v->ve->net = NULL;
}

static void venet_destroy(struct net_device *dev)
{
	struct venet_ve *v = netdev_priv(dev);

	free_percpu(v->v6);
	v->v6 = NULL;
}

static const struct net_device_ops venet_ve_ops = {
	.ndo_start_xmit		= venet_ve_xmit,
	.ndo_get_stats64	= venet_get_stats64,
	.ndo_uninit		= venet_uninit,
};

static const struct net_device_ops venet_node_ops = {
	.ndo_start_xmit		= venet_node_xmit,
	.ndo_get_stats64	= venet_get_stats64,
	.ndo_uninit		= venet_uninit,
};

static void venet_setup(struct net_device *dev)
{
	dev->type = ARPHRD_NONE;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP;
	dev->mtu = ETH_DATA_LEN;
	dev->min_mtu = IPV6_MIN_MTU;
	dev->max_mtu = ETH_MAX_MTU;
	dev->needs_free_netdev = true;
	dev->priv_destructor = venet_destroy;
	dev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
	dev->priv_flags |= IFF_NO_QUEUE;
	dev->lltx = true;
	dev->netns_immutable = true;
	dev->features = NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM |
			NETIF_F_GSO_SOFTWARE | NETIF_F_HIGHDMA;
	dev->hw_features = dev->features;
	dev->vlan_features = dev->features;
}

/* Register and bring up: no link-local address, no router solicitation. */
static int venet_bring_up(struct net_device *dev)
{
	struct inet6_dev *idev;
	int err;

	err = register_netdevice(dev);
	if (err) {
		venet_destroy(dev);
		free_netdev(dev);
		return err;
	}
	idev = __in6_dev_get(dev);
	if (idev)
		WRITE_ONCE(idev->cnf.addr_gen_mode, IN6_ADDR_GEN_MODE_NONE);
	return dev_change_flags(dev, dev->flags | IFF_UP, NULL);
}

static int venet_create(struct net *net, struct ve_struct *ve)
{
	struct net_device *dev;
	struct venet_ve *v;
	int err;

	dev = alloc_netdev(sizeof(*v), "venet0", NET_NAME_PREDICTABLE,
			   venet_setup);
	if (!dev)
		return -ENOMEM;
	dev_net_set(dev, net);
	dev->netdev_ops = ve_is_node(ve) ? &venet_node_ops : &venet_ve_ops;
	v = netdev_priv(dev);
	v->ve = ve;
	v->dev = dev;
	INIT_LIST_HEAD(&v->addrs);
	spin_lock_init(&v->seen_lock);
	v->v6 = alloc_percpu_gfp(struct venet_v6, GFP_KERNEL_ACCOUNT);
	if (!v->v6) {
		free_netdev(dev);
		return -ENOMEM;
	}

	rtnl_lock();
	err = venet_bring_up(dev);
	if (!err && ve_is_node(ve)) {
		WRITE_ONCE(venet_node_dev, dev);
	} else if (!err) {
		ve->net = v;
		err = dev_change_flags(net->loopback_dev,
				       net->loopback_dev->flags | IFF_UP, NULL);
	}
	rtnl_unlock();
	return err;
}

/* The root network namespace of a VE gets the device; nested ones get none. */
static int __net_init venet_net_init(struct net *net)
{
	struct ve_struct *ve = net->user_ns->ve;

	if (net_eq(net, &init_net))
		return venet_create(net, &ve0);
	if (ve_is_node(ve) || net->user_ns != ve->user_ns || ve->net)
		return 0;
	return venet_create(net, ve);
}

static struct pernet_operations venet_net_ops = {
	.init = venet_net_init,
};

static void venet_key(struct in6_addr *key, const struct env_ip *ip)
{
	__be32 v4;

	if (ip->family == AF_INET6) {
		memcpy(key, ip->addr, sizeof(*key));
	} else {
		memcpy(&v4, ip->addr, sizeof(v4));
		ipv6_addr_set_v4mapped(v4, key);
	}
}

/* Only an address that one host can have. */
static int venet_check(const struct env_ip *ip)
{
	struct in6_addr v6;
	__be32 v4;
	int type;

	switch (ip->family) {
	case AF_INET:
		memcpy(&v4, ip->addr, sizeof(v4));
		return ipv4_is_multicast(v4) || ipv4_is_lbcast(v4) ||
		       ipv4_is_zeronet(v4) || ipv4_is_loopback(v4) ?
			       -EINVAL : 0;
	case AF_INET6:
		memcpy(&v6, ip->addr, sizeof(v6));
		type = ipv6_addr_type(&v6);
		return type & IPV6_ADDR_UNICAST &&
		       !(type & (IPV6_ADDR_LINKLOCAL | IPV6_ADDR_LOOPBACK |
				 IPV6_ADDR_MAPPED)) ? 0 : -EINVAL;
	}
	return -EAFNOSUPPORT;
}

int venet_ip_add(struct ve_struct *ve, struct net *net, const struct env_ip *ip)
{
	struct in6_addr key;
	int err;

	err = venet_check(ip);
	if (err)
		return err;
	if (ip->deadline && ip->deadline <= ktime_get_boottime_ns())
		return -ETIME;
	if (!ve->net)
		return -ENODEV;
	venet_key(&key, ip);
	err = venet_table_add(ve->net, &key, ip->epoch, ip->deadline);
	if (err)
		return err < 0 ? err : 0;
	err = venet_config_add(net, ve->net->dev->ifindex, &key);
	if (err)
		venet_table_del(ve->net, &key);
	return err;
}

int venet_ip_del(struct ve_struct *ve, struct net *net, const struct env_ip *ip)
{
	struct in6_addr key;
	int err;

	if (ip->family != AF_INET && ip->family != AF_INET6)
		return -EAFNOSUPPORT;
	if (!ve->net)
		return -EADDRNOTAVAIL;
	venet_key(&key, ip);
	/* While the row stands: the peers hear of it. */
	if (venet_owns(ve->net, &key))
		venet_abort(ve->net, net, &key);
	err = venet_table_del(ve->net, &key);
	if (!err)
		venet_config_del(net, ve->net->dev->ifindex, &key);
	return err;
}

void venet_stop(struct ve_struct *ve)
{
	if (ve->net)
		venet_table_flush(ve->net);
}

int venet_stat(struct ve_struct *ve, struct env_netstat *st)
{
	struct rtnl_link_stats64 link = {};
	int cpu;

	if (!ve->nsproxy || !ve->net)
		return -ESRCH;
	dev_get_tstats64(ve->net->dev, &link);
	*st = (struct env_netstat){
		.tx_packets = link.tx_packets,
		.tx_bytes = link.tx_bytes,
		.rx_packets = link.rx_packets,
		.rx_bytes = link.rx_bytes,
		.spoofed = atomic64_read(&ve->net->spoofed),
		.tx_dropped = atomic64_read(&ve->net->tx_dropped),
		.rx_dropped = atomic64_read(&ve->net->rx_dropped),
		.flows_braked = atomic64_read(&ve->net->flows_braked),
		.packets_braked = atomic64_read(&ve->net->packets_braked),
	};
	for_each_possible_cpu(cpu) {
		const struct venet_v6 *v6 = per_cpu_ptr(ve->net->v6, cpu);

		st->tx6_packets += READ_ONCE(v6->tx_packets);
		st->tx6_bytes += READ_ONCE(v6->tx_bytes);
		st->rx6_packets += READ_ONCE(v6->rx_packets);
		st->rx6_bytes += READ_ONCE(v6->rx_bytes);
	}
	return 0;
}

/* Who sent it, and to which port; the headers have been checked by IP. */
static void venet_note_peer(struct env_activity *seen, const struct sk_buff *skb)
{
	const __be16 *ports = (const __be16 *)skb->data;
	struct in6_addr from;

	if (skb->protocol == htons(ETH_P_IP)) {
		ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &from);
		seen->protocol = ip_hdr(skb)->protocol;
	} else {
		from = ipv6_hdr(skb)->saddr;
		seen->protocol = ipv6_hdr(skb)->nexthdr;
	}
	memcpy(seen->peer, &from, sizeof(seen->peer));
	seen->peer_port = seen->port = 0;
	if ((seen->protocol == IPPROTO_TCP || seen->protocol == IPPROTO_UDP) &&
	    skb_headlen(skb) >= 2 * sizeof(*ports)) {
		seen->peer_port = ntohs(ports[0]);
		seen->port = ntohs(ports[1]);
	}
}

static noinline void venet_note_rx(struct venet_ve *v, const struct sk_buff *skb)
{
	u64 now = ktime_get_coarse_boottime_ns();

	if (READ_ONCE(v->seen.last_rx) == now)
		return;
	spin_lock_bh(&v->seen_lock);
	venet_note_peer(&v->seen, skb);
	WRITE_ONCE(v->seen.last_rx, now);
	spin_unlock_bh(&v->seen_lock);
}

void venet_saw_rx(struct ve_struct *ve, const struct sk_buff *skb)
{
	struct venet_ve *v = READ_ONCE(ve->net);

	/* What stays inside is of no interest: loopback. */
	if (v && skb->skb_iif == v->dev->ifindex)
		venet_note_rx(v, skb);
}

int venet_activity(struct ve_struct *ve, struct env_activity *a)
{
	struct venet_ve *v = ve->net;

	if (!ve->nsproxy || !v)
		return -ESRCH;
	spin_lock_bh(&v->seen_lock);
	*a = v->seen;
	spin_unlock_bh(&v->seen_lock);
	a->last_tx = READ_ONCE(v->last_tx);
	return 0;
}

unsigned int venet_nr_addrs(struct ve_struct *ve)
{
	return ve->nsproxy && ve->net ? READ_ONCE(ve->net->nr_addrs) : 0;
}

static int __init venet_init(void)
{
	int err = venet_table_init();

	return err ?: register_pernet_device(&venet_net_ops);
}
device_initcall(venet_init);
