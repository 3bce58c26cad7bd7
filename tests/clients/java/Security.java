// Apache Kafka's own Java client logs in over TLS and administers who may: users, rules, and what both do to a producer and a
// consumer. Prints "ok WHAT" for each finding; an exception or "WRONG" is a failure.
// Run: java -cp 'LIBS/*' Security.java HOST:PORT CA-FILE TOPIC-PREFIX ROOT-PASSWORD
import java.time.Duration;
import java.util.*;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.acl.*;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.resource.*;
import org.apache.kafka.common.serialization.*;

public class Security {
  static String address;
  static String ca;

  static void check(boolean holds, String what) {
    System.out.println((holds ? "ok " : "WRONG ") + what);
    if (!holds) System.exit(1);
  }
  static Map<String, Object> as(String mechanism, String user, String password) {
    String module = mechanism.equals("PLAIN") ? "plain.PlainLoginModule" : "scram.ScramLoginModule";
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", address);
    settings.put("security.protocol", "SASL_SSL");
    settings.put("ssl.truststore.type", "PEM");
    settings.put("ssl.truststore.location", ca);
    settings.put("sasl.mechanism", mechanism);
    settings.put("sasl.jaas.config", "org.apache.kafka.common.security." + module + " required username=\"" + user + "\" password=\"" + password + "\";");
    settings.put("default.api.timeout.ms", "20000");
    settings.put("request.timeout.ms", "10000");
    settings.put("max.block.ms", "10000");
    return settings;
  }
  interface Ask { void run() throws Exception; }
  static void refused(Class<? extends Exception> by, String what, Ask ask) throws Exception {
    try {
      ask.run();
      check(false, what + ": nothing was refused");
    } catch (ExecutionException e) {
      check(by.isInstance(e.getCause()), what);
    } catch (org.apache.kafka.common.KafkaException e) {
      check(by.isInstance(e) || by.isInstance(e.getCause()), what);
    }
  }
  static void produce(Map<String, Object> login, String topic, String value) throws Exception {
    try (KafkaProducer<String, String> producer = new KafkaProducer<>(login, new StringSerializer(), new StringSerializer())) {
      producer.send(new ProducerRecord<>(topic, value)).get();
    }
  }
  static AclBinding allow(ResourceType type, String name, PatternType pattern, String user, AclOperation operation) {
    return new AclBinding(new ResourcePattern(type, name, pattern), new AccessControlEntry("User:" + user, "*", operation, AclPermissionType.ALLOW));
  }

  public static void main(String[] args) throws Exception {
    address = args[0];
    ca = args[1];
    String topic = args[2] + "-topic";
    String group = args[2] + "-group";
    String user = args[2] + "-user";
    String root = args[3];
    for (String mechanism : List.of("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")) {
      try (Admin admin = Admin.create(as(mechanism, "root", root))) {
        check(admin.describeCluster().nodes().get().size() == 1, mechanism);
      }
      refused(SaslAuthenticationException.class, mechanism + " with a wrong password", () -> {
        try (Admin admin = Admin.create(as(mechanism, "root", "wrong"))) {
          admin.describeCluster().nodes().get();
        }
      });
    }
    try (Admin admin = Admin.create(as("SCRAM-SHA-512", "root", root))) {
      admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all().get();
      ScramCredentialInfo info = new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 8192);
      admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion(user, info, "first"))).all().get();
      UserScramCredentialsDescription described = admin.describeUserScramCredentials(List.of(user)).description(user).get();
      check(described.credentialInfos().equals(List.of(info)), "a credential is set and described");
      Map<String, Object> login = as("SCRAM-SHA-256", user, "first");
      refused(TopicAuthorizationException.class, "no right to produce", () -> produce(login, topic, "x"));

      admin.createAcls(List.of(
          allow(ResourceType.TOPIC, args[2], PatternType.PREFIXED, user, AclOperation.WRITE),
          allow(ResourceType.TOPIC, topic, PatternType.LITERAL, user, AclOperation.READ),
          allow(ResourceType.GROUP, group, PatternType.LITERAL, user, AclOperation.READ))).all().get();
      AclBindingFilter ofUser = new AclBindingFilter(ResourcePatternFilter.ANY, new AccessControlEntryFilter("User:" + user, null, AclOperation.ANY, AclPermissionType.ANY));
      check(admin.describeAcls(ofUser).values().get().size() == 3, "rules are made and described");
      produce(login, topic, "one");
      check(true, "with a rule an idempotent producer writes");
      Map<String, Object> consuming = new HashMap<>(login);
      consuming.putAll(Map.of("group.id", group, "auto.offset.reset", "earliest"));
      try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(consuming, new StringDeserializer(), new StringDeserializer())) {
        consumer.subscribe(List.of(topic));
        int read = 0;
        for (int i = 0; i < 100 && read == 0; i++) read += consumer.poll(Duration.ofMillis(200)).count();
        consumer.commitSync();
        check(read == 1, "and a group reads");
      }
      Set<AclOperation> rights = Set.of(AclOperation.READ, AclOperation.WRITE, AclOperation.DESCRIBE);
      try (Admin own = Admin.create(login)) {
        DescribeTopicsOptions asked = new DescribeTopicsOptions().includeAuthorizedOperations(true);
        check(own.describeTopics(List.of(topic), asked).allTopicNames().get().get(topic).authorizedOperations().equals(rights), "the client is told of its rights");
        refused(ClusterAuthorizationException.class, "no right to look at rules", () -> own.describeAcls(AclBindingFilter.ANY).values().get());
        refused(TopicAuthorizationException.class, "no right to delete", () -> own.deleteTopics(List.of(topic)).all().get());
        refused(GroupAuthorizationException.class, "no right to another group", () -> own.listConsumerGroupOffsets("another").partitionsToOffsetAndMetadata().get());
      }
      check(admin.deleteAcls(List.of(ofUser)).all().get().size() == 3, "rules are removed");
      refused(TopicAuthorizationException.class, "and the right with them", () -> produce(login, topic, "x"));
      admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion(user, info, "second"))).all().get();
      refused(SaslAuthenticationException.class, "a changed password", () -> produce(login, topic, "x"));
      admin.alterUserScramCredentials(List.of(new UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_256))).all().get();
      refused(SaslAuthenticationException.class, "a removed user", () -> produce(as("SCRAM-SHA-256", user, "second"), topic, "x"));
    }
  }
}
