// franz-go against a broker: one section a run, `ok` lines on stdout, exit code 1 with the reason on stderr otherwise.
//
// usage: client BROKER PREFIX SECTION
package main

import (
	"context"
	"fmt"
	"os"
	"sort"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

var broker, prefix string

func check(err error, what string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}
func must(holds bool, what string, args ...any) {
	if !holds {
		check(fmt.Errorf(what, args...), "not as it should be")
	}
}
func ok(what string) { fmt.Println("ok " + what) }

func client(options ...kgo.Opt) *kgo.Client {
	made, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(broker)}, options...)...)
	check(err, "client")
	return made
}
func topic(ctx context.Context, name string, partitions int32) string {
	admin := kadm.NewClient(client())
	defer admin.Close()
	full := prefix + "-" + name
	_, err := admin.CreateTopic(ctx, partitions, 1, nil, full)
	check(err, "create "+full)
	return full
}
func readAll(ctx context.Context, name string, count int, options ...kgo.Opt) []*kgo.Record {
	reader := client(append([]kgo.Opt{kgo.ConsumeTopics(name), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())}, options...)...)
	defer reader.Close()
	var found []*kgo.Record
	for len(found) < count {
		fetches := reader.PollFetches(ctx)
		check(fetches.Err(), "fetch")
		found = append(found, fetches.Records()...)
	}
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	found = append(found, reader.PollFetches(short).Records()...)
	must(len(found) == count, "%s: read %d of %d", name, len(found), count)
	return found
}

func produce(ctx context.Context) {
	codecs := map[string]kgo.CompressionCodec{"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()}
	for codec, option := range codecs {
		name := topic(ctx, "produce-"+codec, 3)
		producer := client(kgo.ProducerBatchCompression(option), kgo.DefaultProduceTopic(name))
		var records []*kgo.Record
		for i := 0; i < 1000; i++ {
			record := &kgo.Record{Key: []byte("k" + strconv.Itoa(i%7)), Value: []byte(fmt.Sprintf("value %d value %d", i, i)), Headers: []kgo.RecordHeader{{Key: "n", Value: []byte(strconv.Itoa(i))}}}
			if i%50 == 0 {
				record.Value = nil
			}
			records = append(records, record)
		}
		check(producer.ProduceSync(ctx, records...).FirstErr(), "produce "+codec)
		producer.Close()
		sent := map[string]*kgo.Record{}
		for _, record := range records {
			sent[fmt.Sprint(record.Partition, "/", record.Offset)] = record
		}
		must(len(sent) == 1000, "%d places for 1000 records", len(sent))
		for _, record := range readAll(ctx, name, 1000) {
			from := sent[fmt.Sprint(record.Partition, "/", record.Offset)]
			must(from != nil && string(from.Value) == string(record.Value) && (from.Value == nil) == (record.Value == nil), "another value at %d/%d", record.Partition, record.Offset)
			must(len(record.Headers) == 1 && string(record.Headers[0].Value) == string(from.Headers[0].Value), "another header")
		}
		ok("produce " + codec)
	}
}

func transactions(ctx context.Context) {
	name := topic(ctx, "transactions", 2)
	producer := client(kgo.TransactionalID(prefix+"-tx"), kgo.DefaultProduceTopic(name), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for round := 0; round < 10; round++ {
		check(producer.BeginTransaction(), "begin")
		for i := 0; i < 10; i++ {
			check(producer.ProduceSync(ctx, &kgo.Record{Partition: int32(i % 2), Value: []byte(strconv.Itoa(round))}).FirstErr(), "produce")
		}
		end := kgo.TryCommit
		if round%2 == 1 {
			end = kgo.TryAbort
		}
		check(producer.EndTransaction(ctx, end), "end")
	}
	producer.Close()
	values := map[string]int{}
	for _, record := range readAll(ctx, name, 50, kgo.FetchIsolationLevel(kgo.ReadCommitted())) {
		values[string(record.Value)]++
	}
	must(len(values) == 5 && values["0"] == 10 && values["8"] == 10, "committed: %v", values)
	must(len(readAll(ctx, name, 100, kgo.FetchIsolationLevel(kgo.ReadUncommitted()))) == 100, "all")
	ok("transactions")

	// Consume, transform, produce: each record once, with aborts between.
	source, target := topic(ctx, "tx-source", 3), topic(ctx, "tx-target", 3)
	feeder := client(kgo.DefaultProduceTopic(source))
	for i := 0; i < 300; i++ {
		check(feeder.ProduceSync(ctx, &kgo.Record{Key: []byte(strconv.Itoa(i)), Value: []byte(strconv.Itoa(i))}).FirstErr(), "feed")
	}
	feeder.Close()
	session, err := kgo.NewGroupTransactSession(kgo.SeedBrokers(broker), kgo.TransactionalID(prefix+"-eos"), kgo.ConsumerGroup(prefix+"-eos-group"), kgo.ConsumeTopics(source), kgo.DefaultProduceTopic(target), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.RequireStableFetchOffsets())
	check(err, "session")
	copied := 0
	for round := 0; copied < 300; round++ {
		fetches := session.PollRecords(ctx, 40)
		check(fetches.Err(), "poll")
		check(session.Begin(), "begin")
		for _, record := range fetches.Records() {
			session.Produce(ctx, &kgo.Record{Key: record.Key, Value: record.Value}, nil)
		}
		committed, err := session.End(ctx, kgo.TransactionEndTry(round%3 != 1))
		check(err, "end")
		if committed {
			copied += fetches.NumRecords()
		}
	}
	session.Close()
	var numbers []int
	for _, record := range readAll(ctx, target, 300, kgo.FetchIsolationLevel(kgo.ReadCommitted())) {
		number, _ := strconv.Atoi(string(record.Value))
		numbers = append(numbers, number)
	}
	sort.Ints(numbers)
	for i, number := range numbers {
		must(i == number, "record %d is %d", i, number)
	}
	ok("transactions copy")
}

func group(ctx context.Context) {
	name := topic(ctx, "group", 6)
	feeder := client(kgo.DefaultProduceTopic(name), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for i := 0; i < 600; i++ {
		check(feeder.ProduceSync(ctx, &kgo.Record{Partition: int32(i % 6), Value: []byte(strconv.Itoa(i))}).FirstErr(), "feed")
	}
	feeder.Close()
	for _, balancer := range []kgo.GroupBalancer{kgo.RangeBalancer(), kgo.RoundRobinBalancer(), kgo.StickyBalancer(), kgo.CooperativeStickyBalancer()} {
		id := prefix + "-group-" + balancer.ProtocolName()
		member := func(name2 string) *kgo.Client {
			return client(kgo.ConsumerGroup(id), kgo.ClientID(name2), kgo.ConsumeTopics(name), kgo.Balancers(balancer), kgo.DisableAutoCommit(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.SessionTimeout(6*time.Second), kgo.HeartbeatInterval(200*time.Millisecond))
		}
		one, two := member("one"), member("two")
		seen := map[string]bool{}
		poll := func(reader *kgo.Client) {
			short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
			defer cancel()
			fetches := reader.PollRecords(short, 20)
			for _, record := range fetches.Records() {
				seen[fmt.Sprint(record.Partition, "/", record.Offset)] = true
			}
			if fetches.NumRecords() > 0 {
				if err := reader.CommitRecords(ctx, fetches.Records()...); err != nil {
					fmt.Fprintf(os.Stderr, "while rebalancing: %v\n", err)
				}
			}
		}
		poll(one)
		for i := 0; i < 10; i++ {
			poll(one)
			poll(two)
		}
		two.Close()
		for len(seen) < 600 {
			poll(one)
		}
		for i := 0; i < 5; i++ {
			poll(one)
		}
		one.Close()
		ok("group " + balancer.ProtocolName())
	}
}

func admin(ctx context.Context) {
	admin := kadm.NewClient(client())
	defer admin.Close()
	name := topic(ctx, "admin", 2)
	metadata, err := admin.Metadata(ctx, name)
	check(err, "metadata")
	must(len(metadata.Brokers) == 1 && metadata.Cluster != "", "cluster")
	value := "120000"
	_, err = admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: &value}}, name)
	check(err, "alter configs")
	configs, err := admin.DescribeTopicConfigs(ctx, name)
	check(err, "describe configs")
	found := ""
	for _, config := range configs[0].Configs {
		if config.Key == "retention.ms" {
			found = config.MaybeValue()
		}
	}
	must(found == value, "retention.ms is %s", found)
	ok("admin configs")
	_, err = admin.CreatePartitions(ctx, 2, name)
	check(err, "create partitions")
	details, err := admin.ListTopics(ctx, name)
	check(err, "list topics")
	must(len(details[name].Partitions) == 4, "%d partitions", len(details[name].Partitions))
	ok("admin partitions")
	feeder := client(kgo.DefaultProduceTopic(name), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for i := 0; i < 10; i++ {
		check(feeder.ProduceSync(ctx, &kgo.Record{Value: []byte("x")}).FirstErr(), "feed")
	}
	feeder.Close()
	_, err = admin.DeleteRecords(ctx, kadm.Offsets{name: {0: {Topic: name, Partition: 0, At: 6}}})
	check(err, "delete records")
	starts, err := admin.ListStartOffsets(ctx, name)
	check(err, "list offsets")
	start, _ := starts.Lookup(name, 0)
	must(start.Offset == 6, "starts at %d", start.Offset)
	dirs, err := admin.DescribeAllLogDirs(ctx, nil)
	check(err, "log dirs")
	size := int64(0)
	dirs.Each(func(dir kadm.DescribedLogDir) { size += dir.Size() })
	must(size > 0, "no bytes on disk")
	ok("admin records")
	_, err = admin.DescribeTransactions(ctx, "nobody")
	check(err, "describe transactions")
	_, err = admin.ListTransactions(ctx, nil, nil)
	check(err, "list transactions")
	_, err = admin.DescribeProducers(ctx, nil)
	check(err, "describe producers")
	ok("admin transactions")
	_, err = admin.DeleteTopics(ctx, name)
	check(err, "delete topic")
	ok("admin delete")
}

func main() {
	broker, prefix = os.Args[1], os.Args[2]
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	map[string]func(context.Context){"produce": produce, "transactions": transactions, "group": group, "admin": admin}[os.Args[3]](ctx)
}
