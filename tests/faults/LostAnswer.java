import io.delta.storage.HDFSLogStore;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Iterator;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Commits as usual; for the table that the trigger file names, once, the commit lands and its answer does not. */
public class LostAnswer extends HDFSLogStore {
    public LostAnswer(Configuration configuration) {
        super(configuration);
    }

    public void write(Path path, Iterator<String> actions, Boolean overwrite, Configuration configuration)
            throws IOException {
        super.write(path, actions, overwrite, configuration);
        File trigger = new File(System.getProperty("lost.answer"));
        if (trigger.exists() && path.toString().contains(new String(Files.readAllBytes(trigger.toPath())).trim())) {
            trigger.delete();
            throw new IOException("the answer to this commit was lost");
        }
    }
}
