import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.processor.StateRestoreListener;

/** Counts what has been restored. */
record CountingListener(AtomicLong restored) implements StateRestoreListener {
  @Override
  public void onRestoreStart(TopicPartition partition, String store, long from, long to) {}

  @Override
  public void onBatchRestored(TopicPartition partition, String store, long to, long records) {
    restored.addAndGet(records);
  }

  @Override
  public void onRestoreEnd(TopicPartition partition, String store, long records) {}
}
