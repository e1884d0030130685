/** As Jackson is told to read and write a vote: into a class, which is its fastest way. */
public class Vote {
  public String poll, voter, option, region;
  public long ts;
}
