using System.Text;

namespace Shop.LocalRunner.Tests;

/// <summary>Finds the processes that still belong to a runner, by their environment.</summary>
internal static class Leftovers
{
    public static List<int> Of(string owner)
    {
        var mark = $"SHOP_RUNNER_OWNER={owner}";
        return [.. Directory.GetDirectories("/proc").Select(Path.GetFileName).Select(name => int.TryParse(name, out var pid) ? pid : 0)
            .Where(pid => pid > 0 && EnvironmentOf(pid).Split('\0').Contains(mark))];
    }

    private static string EnvironmentOf(int pid)
    {
        try
        {
            return Encoding.UTF8.GetString(File.ReadAllBytes($"/proc/{pid}/environ"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ""; // it has ended since, or is somebody else's
        }
    }
}
