// A Kafka Streams application with exactly-once: counts records per key through a state store with its changelog, closed
// and started again in the middle. The last count of each key, read_committed, must be what was sent.
// Run: java -cp 'LIBS/*' StreamsCount.java HOST:PORT TOPIC-PREFIX
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.state.*;

public class StreamsCount {
  static String broker, source, target, prefix;

  static KafkaStreams start() throws Exception {
    StreamsBuilder builder = new StreamsBuilder();
    builder.stream(source, Consumed.with(Serdes.String(), Serdes.String()))
        .groupByKey()
        .count(Materialized.<String, Long>as(Stores.inMemoryKeyValueStore("counts")).withKeySerde(Serdes.String()).withValueSerde(Serdes.Long()))
        .toStream()
        .to(target, Produced.with(Serdes.String(), Serdes.Long()));
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, prefix + "-app");
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, broker);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, System.getProperty("java.io.tmpdir") + "/" + prefix);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
    settings.put("consumer.auto.offset.reset", "earliest");
    KafkaStreams streams = new KafkaStreams(builder.build(), settings);
    CountDownLatch running = new CountDownLatch(1);
    streams.setStateListener((now, before) -> { if (now == KafkaStreams.State.RUNNING) running.countDown(); });
    streams.setUncaughtExceptionHandler(e -> { e.printStackTrace(); System.exit(1); return null; });
    streams.start();
    if (!running.await(60, TimeUnit.SECONDS)) throw new IllegalStateException("not running: " + streams.state());
    return streams;
  }

  static void send(int from, int to) throws Exception {
    try (KafkaProducer<String, String> producer = new KafkaProducer<>(Map.of("bootstrap.servers", broker), new StringSerializer(), new StringSerializer())) {
      for (int i = from; i < to; i++) producer.send(new ProducerRecord<>(source, "k" + i % 10, "v" + i));
    }
  }

  public static void main(String[] args) throws Exception {
    broker = args[0];
    prefix = args[1];
    source = prefix + "-source";
    target = prefix + "-target";
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker))) {
      admin.createTopics(List.of(new NewTopic(source, 3, (short) 1), new NewTopic(target, 3, (short) 1))).all().get();
    }
    KafkaStreams streams = start();
    send(0, 500);
    Thread.sleep(1500);
    streams.close(Duration.ofSeconds(20));
    send(500, 800);
    streams = start();
    send(800, 1000);
    Map<String, Long> last = new TreeMap<>();
    Map<String, Object> reading = Map.of("bootstrap.servers", broker, "isolation.level", "read_committed", "auto.offset.reset", "earliest", "group.id", prefix + "-read");
    try (KafkaConsumer<String, Long> consumer = new KafkaConsumer<>(reading, new StringDeserializer(), new LongDeserializer())) {
      consumer.subscribe(List.of(target));
      long endMs = System.currentTimeMillis() + 60_000;
      while (System.currentTimeMillis() < endMs && !(last.size() == 10 && last.values().stream().allMatch(n -> n == 100))) {
        for (ConsumerRecord<String, Long> record : consumer.poll(Duration.ofMillis(200))) {
          Long before = last.put(record.key(), record.value());
          if (before != null && before > record.value()) throw new IllegalStateException(record.key() + " went back from " + before + " to " + record.value());
        }
      }
    }
    streams.close(Duration.ofSeconds(20));
    if (last.size() != 10 || !last.values().stream().allMatch(n -> n == 100)) throw new IllegalStateException("counts " + last);
    System.out.println("ok streams");
    System.exit(0);
  }
}
