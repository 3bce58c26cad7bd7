// The Java consumer in groups, by both protocols: two members, one leaves, everything is read, offsets hold; the groups
// are described, their offsets reset, and both are deleted by the admin.
// Run: java -cp 'LIBS/*' Groups.java HOST:PORT TOPIC-PREFIX classic|consumer
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.serialization.*;

public class Groups {
  static String broker, topic, group, protocol;

  static KafkaConsumer<String, String> member(String name) {
    Map<String, Object> settings = new HashMap<>(Map.of("bootstrap.servers", broker, "group.id", group, "client.id", name, "group.protocol", protocol, "auto.offset.reset", "earliest", "enable.auto.commit", "false", "max.poll.records", "20"));
    if (protocol.equals("classic")) {
      settings.put("session.timeout.ms", "6000");
      settings.put("heartbeat.interval.ms", "200");
      settings.put("partition.assignment.strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor");
    }
    KafkaConsumer<String, String> consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
    consumer.subscribe(List.of(topic));
    return consumer;
  }

  static Set<String> seen = new HashSet<>();

  static int poll(KafkaConsumer<String, String> consumer) {
    ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(100));
    for (ConsumerRecord<String, String> record : records) seen.add(record.partition() + "/" + record.offset());
    try {
      if (!records.isEmpty()) consumer.commitSync();
    } catch (CommitFailedException | org.apache.kafka.common.errors.RebalanceInProgressException e) {
      // In the middle of a rebalance: whoever owns the partition next reads it again.
    }
    return records.count();
  }

  static void until(java.util.function.BooleanSupplier holds, Runnable step, String what) {
    long endMs = System.currentTimeMillis() + 60_000;
    while (!holds.getAsBoolean()) {
      if (System.currentTimeMillis() > endMs) throw new IllegalStateException("never: " + what);
      step.run();
    }
  }

  public static void main(String[] args) throws Exception {
    broker = args[0];
    protocol = args[2];
    topic = args[1] + "-" + protocol;
    group = topic + "-group";
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker))) {
      admin.createTopics(List.of(new NewTopic(topic, 6, (short) 1))).all().get();
      try (KafkaProducer<String, String> producer = new KafkaProducer<>(Map.of("bootstrap.servers", broker), new StringSerializer(), new StringSerializer())) {
        for (int i = 0; i < 600; i++) producer.send(new ProducerRecord<>(topic, i % 6, null, "v" + i));
      }
      KafkaConsumer<String, String> one = member("one"), two = member("two");
      until(() -> one.assignment().size() == 3 && two.assignment().size() == 3, () -> { poll(one); poll(two); }, "three partitions each");
      ConsumerGroupDescription described = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
      if (described.members().size() != 2) throw new IllegalStateException("members " + described);
      if (!described.type().toString().equalsIgnoreCase(protocol)) throw new IllegalStateException("type " + described.type());
      System.out.println("ok described " + protocol);
      two.close();
      until(() -> seen.size() == 600 && one.assignment().size() == 6, () -> poll(one), "everything read by one: " + seen.size());
      one.close();
      long sum = 0;
      for (OffsetAndMetadata offset : admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().values()) sum += offset.offset();
      if (sum != 600) throw new IllegalStateException("committed " + sum);
      System.out.println("ok read " + protocol);
      until(() -> {
        try {
          return admin.describeConsumerGroups(List.of(group)).all().get().get(group).members().isEmpty();
        } catch (Exception e) {
          throw new IllegalStateException(e);
        }
      }, () -> {}, "an empty group");
      admin.alterConsumerGroupOffsets(group, Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(40))).all().get();
      seen.clear();
      KafkaConsumer<String, String> late = member("late");
      until(() -> seen.size() == 60, () -> poll(late), "what was reset comes again: " + seen.size());
      if (poll(late) != 0) throw new IllegalStateException("more than was reset came again");
      late.close();
      System.out.println("ok reset " + protocol);
      until(() -> {
        try {
          admin.deleteConsumerGroups(List.of(group)).all().get();
          return true;
        } catch (java.util.concurrent.ExecutionException e) {
          if (e.getCause() instanceof org.apache.kafka.common.errors.GroupNotEmptyException) return false;
          throw new IllegalStateException(e);
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
      }, () -> {}, "the group deleted");
      System.out.println("ok deleted " + protocol);
    }
  }
}
