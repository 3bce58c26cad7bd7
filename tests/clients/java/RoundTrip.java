// Apache Kafka's own Java clients against a broker: admin, idempotent producer in every codec, consumer with assigned
// partitions. Prints one line per finding and ends with "done"; an exception or "WRONG" is a failure.
// Run: java -cp 'LIBS/*' RoundTrip.java HOST:PORT TOPIC-PREFIX
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.*;

public class RoundTrip {
  static void check(boolean holds, String what) {
    if (!holds) {
      System.out.println("WRONG " + what);
      System.exit(1);
    }
  }

  public static void main(String[] args) throws Exception {
    String prefix = args[1];
    Map<String, Object> base = Map.of("bootstrap.servers", args[0], "client.id", "java", "default.api.timeout.ms", "20000", "request.timeout.ms", "10000");
    try (Admin admin = Admin.create(base)) {
      String topic = prefix + "-admin";
      CreateTopicsResult created = admin.createTopics(List.of(new NewTopic(topic, 3, (short) 1).configs(Map.of("retention.ms", "3600000"))));
      created.all().get();
      Uuid id = created.topicId(topic).get();
      check(created.numPartitions(topic).get() == 3, "partitions in the answer");
      check(admin.listTopics().names().get().contains(topic), "listTopics");
      TopicDescription described = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
      check(described.partitions().size() == 3 && described.topicId().equals(id), "describeTopics");
      check(admin.describeTopics(TopicCollection.ofTopicIds(List.of(id))).allTopicIds().get().get(id).name().equals(topic), "describeTopics by id");
      ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
      ConfigEntry entry = admin.describeConfigs(List.of(resource)).all().get().get(resource).get("retention.ms");
      check(entry.value().equals("3600000") && entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG, "describeConfigs");
      try {
        admin.createTopics(List.of(new NewTopic(topic, 3, (short) 1))).all().get();
        check(false, "a topic twice");
      } catch (ExecutionException e) {
        check(e.getCause() instanceof org.apache.kafka.common.errors.TopicExistsException, "a topic twice: " + e.getCause());
      }
      check(admin.describeCluster().nodes().get().size() == 1, "describeCluster");
      admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all().get();
      check(!admin.listTopics().names().get().contains(topic), "deleteTopics by id");
      System.out.println("admin");

      for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
        String name = prefix + "-" + codec;
        admin.createTopics(List.of(new NewTopic(name, 6, (short) 1))).all().get();
        int records = 3000;
        Map<String, Object> settings = new HashMap<>(base);
        settings.put("compression.type", codec);
        settings.put("linger.ms", "5");
        Map<Integer, Integer> sent = new HashMap<>();
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
          List<Future<RecordMetadata>> futures = new ArrayList<>();
          for (int i = 0; i < records; i++) {
            ProducerRecord<String, String> record = new ProducerRecord<>(name, null, 1_700_000_000_000L + i, "key " + (i % 100), "value " + i + " of many, of many, of many");
            record.headers().add("n", Integer.toString(i).getBytes(StandardCharsets.UTF_8));
            futures.add(producer.send(record));
          }
          for (int i = 0; i < records; i++) {
            RecordMetadata metadata = futures.get(i).get();
            sent.merge(metadata.partition(), 1, Integer::sum);
            if (codec.equals("none") && i < 100) System.out.println("partition\tkey " + i + "\t" + metadata.partition());
          }
        }
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(base, new StringDeserializer(), new StringDeserializer())) {
          List<TopicPartition> all = new ArrayList<>();
          for (int p = 0; p < 6; p++) all.add(new TopicPartition(name, p));
          consumer.assign(all);
          consumer.seekToBeginning(all);
          Map<TopicPartition, Long> ends = consumer.endOffsets(all);
          for (TopicPartition each : all) check(ends.get(each) == sent.getOrDefault(each.partition(), 0).longValue(), "end of " + each);
          Set<Integer> seen = new HashSet<>();
          Map<TopicPartition, Long> next = new HashMap<>();
          long deadline = System.currentTimeMillis() + 20_000;
          while (seen.size() < records && System.currentTimeMillis() < deadline) {
            for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
              int i = Integer.parseInt(new String(record.headers().lastHeader("n").value(), StandardCharsets.UTF_8));
              check(seen.add(i), "record " + i + " twice");
              check(record.value().equals("value " + i + " of many, of many, of many"), "value " + i);
              check(record.key().equals("key " + (i % 100)) && record.timestamp() == 1_700_000_000_000L + i, "key, time of " + i);
              TopicPartition where = new TopicPartition(name, record.partition());
              check(record.offset() == next.getOrDefault(where, 0L), "offset of " + i);
              next.put(where, record.offset() + 1);
            }
          }
          check(seen.size() == records, seen.size() + " of " + records + " records, " + codec);
          TopicPartition some = all.stream().filter((each) -> sent.containsKey(each.partition())).findFirst().get();
          OffsetAndTimestamp first = consumer.offsetsForTimes(Map.of(some, 0L)).get(some);
          check(first.offset() == 0, "offsetsForTimes");
          check(consumer.offsetsForTimes(Map.of(some, 1_800_000_000_000L)).get(some) == null, "offsetsForTimes beyond the end");
          long max = admin.listOffsets(Map.of(some, OffsetSpec.maxTimestamp())).partitionResult(some).get().offset();
          check(max == ends.get(some) - 1, "the largest timestamp");
          consumer.seek(some, 1_000_000);
          consumer.poll(Duration.ofMillis(500));
          check(consumer.position(some) <= ends.get(some), "out of range goes by auto.offset.reset");
        }
        System.out.println("codec\t" + codec);
      }
    }
    System.out.println("done");
  }
}
