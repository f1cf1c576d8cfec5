namespace Shop.Testing;

/// <summary>The repository that the tests were built in.</summary>
public static class Repository
{
    /// <summary>Its directory.</summary>
    /// <exception cref="InvalidOperationException">What runs is not inside it.</exception>
    public static string Root
    {
        get
        {
            var directory = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(directory.FullName, "Shop.sln")))
                directory = directory.Parent ?? throw new InvalidOperationException("Not inside the repository");
            return directory.FullName;
        }
    }
}
