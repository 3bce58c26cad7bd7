// Kafka's own Java Admin through everything that tools and consoles built on it ask of one broker. Prints what it found, one
// line each, for the test to judge; an exception ends it.
import java.util.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.ConfigResource;

public class AdminCalls {
  static void say(String what, Object value) {
    System.out.println(what + "\t" + value);
  }
  static String refusal(KafkaFuture<?> future) throws Exception {
    try {
      future.get();
      return "none";
    } catch (java.util.concurrent.ExecutionException e) {
      return e.getCause().getClass().getSimpleName();
    }
  }
  public static void main(String[] args) throws Exception {
    String topic = args[1];
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0]))) {
      var cluster = admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true));
      say("nodes", cluster.nodes().get().size());
      say("controller", cluster.controller().get().id() == cluster.nodes().get().iterator().next().id());
      int node = cluster.controller().get().id();
      var created = admin.createTopics(List.of(new NewTopic(topic, 2, (short) 1).configs(Map.of("retention.ms", "5000000"))));
      created.all().get();
      say("created", created.numPartitions(topic).get() + " " + created.config(topic).get().get("retention.ms").value());
      admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(4))).all().get();
      // Apache Kafka tells of them a little later.
      for (int i = 0; i < 50 && admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size() < 4; i++) Thread.sleep(100);
      var description = admin.describeTopics(List.of(topic), new DescribeTopicsOptions().partitionSizeLimitPerResponse(3)
          .includeAuthorizedOperations(true)).allTopicNames().get().get(topic);
      say("partitions", description.partitions().size() + " " + description.topicId().equals(created.topicId(topic).get()));
      say("by id", admin.describeTopics(TopicCollection.ofTopicIds(List.of(description.topicId()))).allTopicIds().get().size());
      say("fewer", refusal(admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(2))).all()));

      try (var producer = new KafkaProducer<byte[], byte[]>(Map.of("bootstrap.servers", args[0], "key.serializer",
          "org.apache.kafka.common.serialization.ByteArraySerializer", "value.serializer",
          "org.apache.kafka.common.serialization.ByteArraySerializer"))) {
        for (int i = 0; i < 5; i++) producer.send(new ProducerRecord<>(topic, 0, 1000L + i, null, new byte[100])).get();
      }

      var resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
      admin.incrementalAlterConfigs(Map.of(resource, List.of(
          new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"), AlterConfigOp.OpType.APPEND),
          new AlterConfigOp(new ConfigEntry("retention.ms", null), AlterConfigOp.OpType.DELETE)))).all().get();
      var broker = new ConfigResource(ConfigResource.Type.BROKER, String.valueOf(node));
      var configs = admin.describeConfigs(List.of(resource, broker),
          new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true)).all().get();
      var policy = configs.get(resource).get("cleanup.policy");
      say("policy", policy.value() + " " + policy.source() + " " + policy.type() + " " + policy.isReadOnly());
      say("retention", configs.get(resource).get("retention.ms").source());
      say("documented", configs.get(resource).entries().stream().allMatch(e -> e.documentation() != null));
      say("broker", configs.get(broker).get("num.partitions").isReadOnly() + " " + configs.get(broker).get("log.retention.ms").isReadOnly());
      say("wrong", refusal(admin.incrementalAlterConfigs(Map.of(resource, List.of(
          new AlterConfigOp(new ConfigEntry("retention.ms", "x"), AlterConfigOp.OpType.SET)))).all()));
      var everyone = new ConfigResource(ConfigResource.Type.BROKER, "");
      admin.incrementalAlterConfigs(Map.of(everyone, List.of(
          new AlterConfigOp(new ConfigEntry("log.retention.ms", "86400000"), AlterConfigOp.OpType.SET)))).all().get();
      var retention = admin.describeConfigs(List.of(resource)).all().get().get(resource).get("retention.ms");
      for (int i = 0; i < 50 && !retention.value().equals("86400000"); i++) {
        Thread.sleep(100);
        retention = admin.describeConfigs(List.of(resource)).all().get().get(resource).get("retention.ms");
      }
      say("default", retention.value() + " " + retention.source());
      admin.incrementalAlterConfigs(Map.of(everyone, List.of(
          new AlterConfigOp(new ConfigEntry("log.retention.ms", null), AlterConfigOp.OpType.DELETE)))).all().get();
      say("resources", admin.listConfigResources(Set.of(ConfigResource.Type.TOPIC), new ListConfigResourcesOptions()).all()
          .get().contains(resource));

      var first = new TopicPartition(topic, 0);
      say("latest", admin.listOffsets(Map.of(first, OffsetSpec.latest())).all().get().get(first).offset());
      say("max time", admin.listOffsets(Map.of(first, OffsetSpec.maxTimestamp())).all().get().get(first).offset());
      say("by time", admin.listOffsets(Map.of(first, OffsetSpec.forTimestamp(1003))).all().get().get(first).offset());
      var deleted = admin.deleteRecords(Map.of(first, RecordsToDelete.beforeOffset(3)));
      say("low", deleted.lowWatermarks().get(first).get().lowWatermark());
      say("earliest", admin.listOffsets(Map.of(first, OffsetSpec.earliest())).all().get().get(first).offset());
      say("beyond", refusal(admin.deleteRecords(Map.of(first, RecordsToDelete.beforeOffset(99))).all()));
      var directory = admin.describeLogDirs(List.of(node)).allDescriptions().get().get(node).values().iterator().next();
      say("size", directory.replicaInfos().get(first).size() > 0 && directory.totalBytes().isPresent());

      var elected = admin.electLeaders(ElectionType.PREFERRED, Set.of(first)).partitions().get().get(first);
      say("elect", elected.map(e -> e.getClass().getSimpleName()).orElse("none"));
      admin.alterPartitionReassignments(Map.of(first, Optional.of(new NewPartitionReassignment(List.of(node))))).all().get();
      say("elsewhere", refusal(admin.alterPartitionReassignments(Map.of(first, Optional.of(new NewPartitionReassignment(List.of(node + 1))))).all()));
      say("no move", refusal(admin.alterPartitionReassignments(Map.of(first, Optional.empty())).all()));
      say("moves", admin.listPartitionReassignments().reassignments().get().size());
      var quorum = admin.describeMetadataQuorum().quorumInfo().get();
      say("quorum", quorum.voters().size() + " " + (quorum.highWatermark() > 0));
      say("features", admin.describeFeatures().featureMetadata().get().finalizedFeatures().containsKey("group.version"));
      say("no feature", refusal(admin.updateFeatures(Map.of("no.such", new FeatureUpdate((short) 1, FeatureUpdate.UpgradeType.UPGRADE)), new UpdateFeaturesOptions()).all()));
      admin.deleteTopics(TopicCollection.ofTopicIds(List.of(description.topicId()))).all().get();
      say("deleted", refusal(admin.describeTopics(List.of(topic)).allTopicNames()));
    }
    System.out.println("done");
  }
}
