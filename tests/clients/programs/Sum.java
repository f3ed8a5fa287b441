import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Locale;

public class Sum {
  public static void main(String[] arguments) throws Exception {
    Path folder = Path.of(arguments[0]);
    try (FileChannel file = FileChannel.open(folder.resolve("lat.npy"))) {
      var bytes = file.map(FileChannel.MapMode.READ_ONLY, 0, file.size()).order(ByteOrder.LITTLE_ENDIAN);
      var values = bytes.position(10 + bytes.getShort(8)).slice().order(ByteOrder.LITTLE_ENDIAN).asDoubleBuffer();
      int rows = values.remaining();
      double sum = 0;
      while (values.hasRemaining()) sum += values.get();
      int distinct = new HashSet<>(Files.readAllLines(folder.resolve("tzone.txt"))).size();
      System.out.printf(Locale.ROOT, "%d %.6f %d%n", rows, sum, distinct);
    }
  }
}
