import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;

/** What is asked of us: harness/job.ts. */
@JsonIgnoreProperties(ignoreUnknown = true)
public class Job {
  public String workload, guarantee, bootstrapServers, applicationId, input, table, output, stateDir;
  public long ticks, limitMs;

  static Job read() throws IOException {
    return new ObjectMapper().readValue(System.getenv("BENCH_JOB"), Job.class);
  }

  boolean isExactlyOnce() {
    return guarantee.equals("exactly-once");
  }
}
